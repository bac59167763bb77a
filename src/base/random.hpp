// Random text from the system's random source, for passwords and names that must not meet.
#pragma once
#include <cstddef>
#include <string>

namespace pgtandem {

// 'length' characters of [a-zA-Z0-9], about 5.95 bits each. Never fails: without the system's source the program ends.
std::string random_word(std::size_t length);
// 'count' bytes of any value.
std::string random_bytes(std::size_t count);

}  // namespace pgtandem
