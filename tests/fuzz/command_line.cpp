// The command line, one word a line: what is refused is refused with a reason and as wrong usage.
#include "cli/command_line.hpp"

#include "base/text.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(command_line) {
    auto const line = cli::parse_command_line(split_lines(input));
    if (line) return fuzz::require(line->command.empty() || cli::find_command(line->command) != nullptr);
    fuzz::require(line.error().kind == ErrorKind::usage && !line.error().why.empty());
}
