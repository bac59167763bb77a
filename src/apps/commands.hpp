// The commands: each wires the parts it needs and gives the exit status.
#pragma once
#include "cli/command_line.hpp"
#include "instance/server.hpp"

namespace pgtandem::apps {

Result<int> up(cli::CommandLine const& line, Executable const& self);
Result<int> down(cli::CommandLine const& line);
Result<int> reset(cli::CommandLine const& line);
Result<int> replica(cli::CommandLine const& line);
Result<int> status(cli::CommandLine const& line);
Result<int> verify(cli::CommandLine const& line);
Result<int> psql(cli::CommandLine const& line);
Result<int> config(cli::CommandLine const& line);
Result<int> proxy_command(cli::CommandLine const& line);
Result<int> guard(cli::CommandLine const& line);

}  // namespace pgtandem::apps
