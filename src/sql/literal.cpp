#include "sql/literal.hpp"

#include "base/text.hpp"

namespace pgtandem::sql {

std::optional<std::string> portable_literal(Token const& token, bool standard_conforming_strings) {
    std::string text(token.text);
    bool const is_plain = text.front() == '\'';
    if (!is_plain && text.front() != '$' && (text.front() | 0x20) != 'e') return std::nullopt;
    if (!is_plain || text.find('\\') == std::string::npos) return text;
    return "E" + (standard_conforming_strings ? replace_all(std::move(text), "\\", "\\\\") : text);
}

std::optional<std::string> plain_value(Token const& token) {
    auto const text = token.text;
    if (token.kind == Token::Kind::string && text.front() == '$') {
        auto const quote = text.find('$', 1) + 1;
        return std::string(text.substr(quote, text.size() - 2 * quote));
    }
    if (token.kind != Token::Kind::string || text.front() != '\'' || text.find('\\') != text.npos) return std::nullopt;
    std::string value;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        value += text[i];
        if (text[i] != '\'') continue;
        if (text[i + 1] != '\'' || i + 2 == text.size()) return std::nullopt;  // continued behind a newline
        ++i;
    }
    return value;
}

}  // namespace pgtandem::sql
