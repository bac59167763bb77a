#include "proxy/hba_text.hpp"

#include <vector>

#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

struct Token {
    std::string text;
    bool is_quoted = false;
    bool goes_on = false;  // a comma follows: the next one belongs to the same field
};

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; }

std::string whole_line(std::string_view file, int line_number) {
    auto const lines = split_lines(file);
    std::string whole;
    for (auto at = static_cast<std::size_t>(line_number) - 1; at < lines.size(); ++at) {
        whole += lines[at];
        if (!whole.ends_with('\\')) break;
        whole.pop_back();
    }
    return whole;
}

// The next token, taken from the front of 'line'.
Token take_token(std::string_view& line) {
    while (!line.empty() && (is_blank(line.front()) || line.front() == ',')) line.remove_prefix(1);
    Token token;
    bool in_quotes = false;
    bool was_quote = false;
    for (; !line.empty() && (in_quotes || !is_blank(line.front())); line.remove_prefix(1)) {
        auto const letter = line.front();
        if (letter == '#' && !in_quotes) {
            line = {};
            return token;
        }
        if (letter == ',' && !in_quotes) {
            token.goes_on = true;
            break;
        }
        // Two quotes within quotes are one that is meant.
        if (letter != '"' || was_quote) token.text += letter;
        was_quote = letter == '"' && in_quotes && !was_quote;
        if (letter == '"') {
            in_quotes = !in_quotes;
            if (token.text.empty()) token.is_quoted = true;
        }
    }
    return token;
}

std::set<std::string> take_field(std::string_view& line) {
    std::set<std::string> quoted;
    std::set<std::string> bare;
    Token token{"", false, true};
    while (token.goes_on) {
        token = take_token(line);
        (token.is_quoted ? quoted : bare).insert(token.text);
    }
    for (auto const& word : bare) quoted.erase(word);
    return quoted;
}

}  // namespace

HbaQuoted quoted_words(std::string_view file, int line_number) {
    auto const whole = whole_line(file, line_number);
    std::string_view line(whole);
    take_field(line);  // the type
    auto databases = take_field(line);
    return {std::move(databases), take_field(line)};
}

}  // namespace pgtandem::proxy
