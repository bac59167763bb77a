// The commands and their options, as data: the parser, the help and the README's table come from here.
#pragma once
#include <span>
#include <string_view>

namespace pgtandem::cli {

struct OptionRow {
    std::string_view name;         // "replicas": --replicas
    std::string_view placeholder;  // "N"; empty for a flag
    std::string_view help;
    bool is_setting = false;  // may also come from the environment, pgtandem.toml and the cluster
    bool repeats = false;
};

struct CommandRow {
    std::string_view name;
    std::string_view arguments;  // positional, as the usage line shows them
    std::string_view does;
    std::span<std::string_view const> options;
    std::string_view examples;
    bool takes_rest = false;  // what follows "--" goes on as it is
    bool is_internal = false;
};

std::span<OptionRow const> option_rows();
std::span<CommandRow const> command_rows();

OptionRow const* find_option(std::string_view name);
CommandRow const* find_command(std::string_view name);

}  // namespace pgtandem::cli
