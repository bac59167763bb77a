// Reads the command line.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command_table.hpp"

namespace pgtandem::cli {

struct CommandLine {
    std::string command;                                      // "" for none: the overview is asked for
    std::map<std::string, std::vector<std::string>> options;  // a flag holds one ""
    std::vector<std::string> arguments;
    std::vector<std::string> rest;  // behind "--"
    bool wants_help = false;
    bool wants_version = false;

    bool has(std::string const& option) const { return options.contains(option); }
    // The last value given, or "".
    std::string value(std::string const& option) const;
};

// Errors (of kind usage): unknown command or option with the nearest known, a value missing or too many arguments.
Result<CommandLine> parse_command_line(std::vector<std::string> const& words);

std::string overview();
std::string help(CommandRow const& command);

}  // namespace pgtandem::cli
