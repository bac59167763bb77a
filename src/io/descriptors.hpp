// How many files this process may have open, and those that sockets of clients and backends may not use up: agents, the console
// and a takeover need some at any time.
#pragma once
#include <cstddef>

namespace pgtandem::io {

// Takes as many as the system lets us have, and says how many that are.
std::size_t raise_descriptor_limit();

// The last ones up to the limit are kept back from sockets. The kernel gives the lowest number that is free, so a descriptor
// among the last ones means that nearly all are in use.
void keep_back_descriptors(std::size_t limit, std::size_t count);
bool is_kept_back(int fd);

}  // namespace pgtandem::io
