#include "cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/text.hpp"

namespace pgtandem::cli {

namespace {

std::string hint_for(std::string_view word, std::vector<std::string> const& known, std::string const& help_command) {
    auto const guess = did_you_mean(word, known);
    return guess.empty() ? help_command : guess;
}

Result<CommandRow const*> command_named(std::string const& name) {
    if (auto const* command = find_command(name)) return command;
    std::vector<std::string> known;
    for (auto const& command : command_rows()) {
        if (!command.is_internal) known.emplace_back(command.name);
    }
    return usage_error("reading the command line", name, "there is no such command",
                       hint_for(name, known, "pgtandem --help"));
}

Result<OptionRow const*> option_named(CommandRow const& command, std::string const& name) {
    if (std::ranges::find(command.options, name) != command.options.end()) return find_option(name);
    std::vector<std::string> known;
    for (auto const option : command.options) known.push_back("--" + std::string(option));
    return usage_error("reading the command line", "--" + name, fmt::format("{} has no such option", command.name),
                       hint_for("--" + name, known, fmt::format("pgtandem {} --help", command.name)));
}

void add_options(CLI::App& app, CommandRow const& command, CommandLine& line) {
    for (auto const name : command.options) {
        auto const& row = *find_option(name);
        auto const flag = "--" + std::string(name);
        auto const key = std::string(name);
        if (row.placeholder.empty()) {
            app.add_flag_callback(flag, [&line, key] { line.options[key] = {""}; });
            continue;
        }
        app.add_option_function<std::vector<std::string>>(
               flag,
               [&line, key](std::vector<std::string> const& values) {
                   // The next option is not this one's value.
                   if (!values.empty() && values.back().starts_with("--")) {
                       throw CLI::ValidationError("--" + key, "it needs a value");
                   }
                   line.options[key] = values;
               })
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(row.repeats ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
    }
}

// What CLI11 could make nothing of: unknown options, and the command's arguments.
Status sort_remaining(CommandRow const& command, std::vector<std::string> const& remaining, CommandLine& line) {
    for (auto const& word : remaining) {
        if (word.size() > 1 && word[0] == '-') {
            auto const name = word.substr(std::min(word.size(), word.find_first_not_of('-')));
            PGTANDEM_CHECK(option_named(command, name.substr(0, name.find('='))).map([](auto) {}));
        }
        if (command.arguments.empty() || command.takes_rest) {
            return usage_error("reading the command line", word, fmt::format("{} takes no arguments", command.name),
                               fmt::format("pgtandem {} --help", command.name));
        }
        line.arguments.push_back(word);
    }
    return {};
}

Status read_words(CommandRow const& command, std::vector<std::string> words, CommandLine& line) {
    CLI::App app;
    app.set_help_flag();
    app.add_flag_callback("-h,--help", [&line] { line.wants_help = true; });
    app.allow_extras();
    add_options(app, command, line);
    std::ranges::reverse(words);  // as CLI11 wants them
    try {
        app.parse(words);
    } catch (CLI::ParseError const& error) {
        return usage_error("reading the command line", "pgtandem " + std::string(command.name), error.what(),
                           fmt::format("pgtandem {} --help", command.name));
    }
    return sort_remaining(command, app.remaining(), line);
}

}  // namespace

std::string CommandLine::value(std::string const& option) const {
    auto const found = options.find(option);
    return found == options.end() || found->second.empty() ? "" : found->second.back();
}

Result<CommandLine> parse_command_line(std::vector<std::string> const& words) {
    CommandLine line;
    if (words.empty()) return line;
    if (words[0] == "--version" || words[0] == "version") {
        line.wants_version = true;
        return line;
    }
    if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
        line.wants_help = true;
        if (words.size() == 1) return line;
        PGTANDEM_TRY(topic, command_named(words[1]));
        line.command = topic->name;
        return line;
    }
    PGTANDEM_TRY(command, command_named(words[0]));
    line.command = command->name;
    auto end = command->takes_rest ? std::ranges::find(words, "--") : words.end();
    if (end != words.end()) line.rest.assign(end + 1, words.end());
    PGTANDEM_CHECK(read_words(*command, {words.begin() + 1, end}, line));
    return line;
}

std::string overview() {
    std::string text =
        "pgtandem: a PostgreSQL primary and its replicas as one database\n\nusage: pgtandem COMMAND [OPTIONS]\n\n";
    for (auto const& command : command_rows()) {
        if (!command.is_internal) text += fmt::format("  {:<8} {}\n", command.name, command.does);
    }
    text += "\nFirst steps:\n  pgtandem up --detach\n  pgtandem psql\n\npgtandem COMMAND --help tells more of each.\n";
    return text;
}

std::string help(CommandRow const& command) {
    auto text =
        fmt::format("pgtandem {}: {}\n\nusage: pgtandem {} [OPTIONS]", command.name, command.does, command.name);
    if (!command.arguments.empty()) text += fmt::format(" {}", command.arguments);
    text += "\n\n";
    for (auto const name : command.options) {
        auto const& option = *find_option(name);
        auto const left = fmt::format("--{} {}", option.name, option.placeholder);
        text += fmt::format("  {:<24} {}\n", left, option.help);
    }
    text += fmt::format("  {:<24} {}\n\nexamples:\n", "--help", "this text");
    for (auto const& example : split(command.examples, '\n')) text += "  " + example + "\n";
    return text;
}

}  // namespace pgtandem::cli
