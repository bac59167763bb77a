// One local server through its guard: is it there, start it, stop it.
#pragma once
#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "instance/layout.hpp"
#include "instance/programs.hpp"

namespace pgtandem {

enum class ServerState { stopped, starting, running };

struct ServerProcess {
    ServerState state;
    pid_t guard;       // 0 when stopped
    pid_t postmaster;  // 0 when not known
};

// By the guard's lock; where nobody holds it, by the processes: the lock's file may have been moved away. An error when it
// cannot be seen whether there is a server: nothing may be concluded from that.
Result<ServerProcess> observe_server(NodePaths const& node);

// Our own program as an open file, so that it can be run again whatever has happened to its path
// (and by a user who may not enter the folder it lies in).
struct Executable {
    int fd;
    std::string name;
};

// Ends what a killed guard may have left, then starts a guard; returns once the guard is there. The server then starts
// on its own: observe_server() tells when it runs, or that the guard has gone because it could not. 'socket' is the
// server's Unix socket.
Result<pid_t> launch_server(PgPrograms const& programs, NodePaths const& node, Path const& socket,
                            Executable const& self);

// Asks the guard for a fast shutdown. Does not wait.
Status ask_server_to_stop(NodePaths const& node);

// Why the server ended: its last FATAL line, from the guard's or the newest server log. Reads no more than a log's end.
std::string last_words(NodePaths const& node);

// Ends our user's processes of these names in that folder: SIGQUIT, then SIGKILL for those that stay. An error when they
// cannot be seen or do not end.
Status end_processes(Path const& folder, std::span<std::string_view const> names);
// Ends the server's processes that have outlived their postmaster.
Status end_leftover_servers(Path const& data);
// Ends what a killed clone or initdb may have left.
Status end_leftover_tools(NodePaths const& node);

}  // namespace pgtandem
