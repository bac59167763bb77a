// Looks at the machine's processes and ports, through /proc.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/files.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem {

struct Process {
    pid_t pid;
    std::string name;
};

// Our own user's processes of these names whose working folder is 'folder' or below it. An error when they cannot all be seen:
// there may be some.
Result<std::vector<Process>> processes_in(Path const& folder, std::span<std::string_view const> names);

// Our own user's process whose command line, without the program's name, begins with these words; 0 where there is none.
Result<pid_t> find_process(std::span<std::string const> words);

// Whether the process has been killed, or ends by itself, and is still there. Its threads end one after the other: until the
// last has gone, what they had open stays open, locks and sockets too.
bool is_ending(pid_t pid);

// Becomes readable when the process ends; empty if there is no such process.
UniqueFd watch_process(pid_t pid);
// True when the process has ended before the deadline.
bool wait_for_end(pid_t pid, Deadline deadline);

// Why a server could not listen there, or nothing if it could.
std::optional<std::string> why_port_is_taken(std::string const& address, std::uint16_t port);

}  // namespace pgtandem
