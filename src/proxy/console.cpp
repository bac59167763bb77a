#include "proxy/console.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "proxy/console_show.hpp"

namespace pgtandem::proxy {

namespace {

struct Command {
    std::string_view name;
    std::string_view arguments;
    std::string_view help;
    ConsoleRight needs;
    bool needs_argument;
    Status (*run)(EndpointControl& control, std::string const& argument);
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    return result;
}

Status kill(EndpointControl& control, std::string const& argument) {
    auto const words = split(argument, ' ');
    bool const is_client = words.size() == 2 && upper(words[0]) == "CLIENT";
    if (!is_client) return control.kill_database(argument);
    std::uint64_t id = 0;
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), id);
    return control.kill_client(id);
}

// Who may do what. What is not here may nobody.
constexpr Command commands[] = {
    {"PAUSE", "[DATABASE]", "new transactions wait; returns when the running ones have ended", ConsoleRight::administer, false,
     [](EndpointControl& control, std::string const& database) { return control.pause(database); }},
    {"RESUME", "[DATABASE]", "ends a PAUSE", ConsoleRight::administer, false,
     [](EndpointControl& control, std::string const& database) { return control.resume(database); }},
    {"RECONNECT", "[DATABASE]", "backends are opened anew, each when it is free", ConsoleRight::administer, false,
     [](EndpointControl& control, std::string const& database) { return control.reconnect(database); }},
    {"RELOAD", "", "reads the settings again", ConsoleRight::administer, false,
     [](EndpointControl& control, std::string const&) { return control.reload(); }},
    {"KILL", "DATABASE | CLIENT ID", "ends the clients of a database, or one", ConsoleRight::administer, true, kill},
};

tl::unexpected<Error> refuse(char const* sqlstate, std::string why, std::string hint = {}) {
    Error error{"", "", std::move(why), std::move(hint)};
    error.sqlstate = sqlstate;
    return tl::unexpected(std::move(error));
}

ConsoleTable help() {
    ConsoleTable table{{"command", "does"}, {}};
    for (auto const& row : show_rows()) table.rows.push_back({"SHOW " + std::string(row.name), std::string(row.help)});
    for (auto const& command : commands) {
        auto const text = std::string(command.name) + (command.arguments.empty() ? "" : " " + std::string(command.arguments));
        table.rows.push_back({text, std::string(command.help)});
    }
    return table;
}

Result<ConsoleAnswer> show(std::string const& what, EndpointControl& control) {
    if (what == "HELP") return ConsoleAnswer{help(), "SHOW"};
    std::vector<std::string> known{"HELP"};
    for (auto const& row : show_rows()) {
        if (row.name == what) return ConsoleAnswer{row.make(control), "SHOW"};
        known.emplace_back(row.name);
    }
    auto const guess = did_you_mean(what, known);
    return refuse("42601", "there is nothing of the name '" + what + "' to show", guess.empty() ? "SHOW HELP" : guess);
}

std::string without_quotes(std::string text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
    return text;
}

}  // namespace

Result<ConsoleAnswer> run_console_command(std::string_view text, ConsoleRight right, EndpointControl& control) {
    auto statement = std::string(trim(text));
    while (statement.ends_with(';')) statement = std::string(trim(std::string_view(statement).substr(0, statement.size() - 1)));
    auto const blank = std::min(statement.find_first_of(" \t\n"), statement.size());
    auto const verb = upper(statement.substr(0, blank));
    auto const argument = std::string(trim(std::string_view(statement).substr(blank)));
    if (right == ConsoleRight::none) return refuse("42501", "permission denied for the console");
    if (verb == "SHOW") return show(upper(argument), control);
    // What drivers and psql say by themselves.
    if (verb == "SET" || verb.empty()) return ConsoleAnswer{{}, verb.empty() ? "" : "SET"};
    std::vector<std::string> known{"SHOW"};
    for (auto const& command : commands) {
        known.emplace_back(command.name);
        if (command.name != verb) continue;
        if (right < command.needs) return refuse("42501", "permission denied for " + verb);
        if (command.needs_argument && argument.empty()) return refuse("42601", verb + " needs " + std::string(command.arguments));
        auto const done = command.run(control, without_quotes(argument));
        if (!done) return refuse("55000", done.error().line(), done.error().hint);
        return ConsoleAnswer{{}, verb};
    }
    auto const guess = did_you_mean(verb, known);
    return refuse("42601", "there is no command '" + verb + "'", guess.empty() ? "SHOW HELP" : guess);
}

}  // namespace pgtandem::proxy
