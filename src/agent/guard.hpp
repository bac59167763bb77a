// The parent of one postmaster, in a process of its own: passes requests to stop on, reaps, and leaves nothing behind.
// It holds the node's guard lock as long as it lives. If it is killed, the postmaster shuts down at once.
#pragma once
#include "instance/layout.hpp"

namespace pgtandem {

// Runs until the server has ended; gives the exit status for the process.
int run_guard(NodePaths const& node, Path const& postgres);

}  // namespace pgtandem
