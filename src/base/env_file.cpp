#include "base/env_file.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace pgtandem {

namespace {

bool is_name(std::string_view name) {
    constexpr std::string_view first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    constexpr std::string_view later = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    return !name.empty() && first.find(name[0]) != std::string_view::npos &&
           name.find_first_not_of(later) == std::string_view::npos;
}

Result<std::string> quoted_value(std::string_view text, std::string const& where) {
    char const quote = text[0];
    std::string value;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == quote) {
            auto const rest = trim(text.substr(i + 1));
            if (!rest.empty() && rest[0] != '#') {
                return fail("reading", where, "there is text behind the closing quote");
            }
            return value;
        }
        if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            value += text[i] == 'n' ? '\n' : text[i];
        } else {
            value += text[i];
        }
    }
    return fail("reading", where, "a quote is not closed");
}

Result<std::string> parse_value(std::string_view text, std::string const& where) {
    text = trim(text);
    if (!text.empty() && (text[0] == '"' || text[0] == '\'')) return quoted_value(text, where);
    // A comment after a value needs a blank before it: passwords may hold '#'.
    auto const comment = text.find(" #");
    return std::string(trim(text.substr(0, comment)));
}

bool needs_quotes(std::string_view value) { return value.find_first_of(" \t\n\r\"'\\#$") != std::string_view::npos; }

}  // namespace

Result<Environment> parse_environment(std::string_view text, std::string const& where) {
    Environment variables;
    int number = 0;
    for (auto const& raw : split_lines(text)) {
        ++number;
        auto line = trim(raw);
        if (line.empty() || line[0] == '#') continue;
        if (line.starts_with("export ")) line = trim(line.substr(7));
        auto const place = fmt::format("{} line {}", where, number);
        auto const equals = line.find('=');
        auto const name = trim(line.substr(0, equals));
        if (equals == std::string_view::npos || !is_name(name)) {
            return fail("reading", place, "not of the form NAME=value");
        }
        PGTANDEM_TRY(value, parse_value(line.substr(equals + 1), place));
        variables[std::string(name)] = value;
    }
    return variables;
}

std::string render_environment(Environment const& variables) {
    std::string text;
    for (auto const& [name, value] : variables) {
        if (!needs_quotes(value)) {
            text += fmt::format("{}={}\n", name, value);
            continue;
        }
        auto escaped = replace_all(value, "\\", "\\\\");
        escaped = replace_all(replace_all(escaped, "\"", "\\\""), "$", "\\$");
        text += fmt::format("{}=\"{}\"\n", name, replace_all(escaped, "\n", "\\n"));
    }
    return text;
}

}  // namespace pgtandem
