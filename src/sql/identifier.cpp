#include <algorithm>
#include <array>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

namespace {

constexpr std::array<unsigned char, 256> make_fold_table() {
    std::array<unsigned char, 256> table{};
    for (unsigned c = 0; c < 256; ++c) {
        bool const is_upper = c >= 'A' && c <= 'Z';
        bool const is_part =
            is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;
        if (is_part) table[c] = static_cast<unsigned char>(is_upper ? c + 32 : c);
    }
    return table;
}

}  // namespace

constinit std::array<unsigned char, 256> const identifier_fold = make_fold_table();

bool equals_folded(std::string_view word, std::string_view lower_case) {
    return std::ranges::equal(word, lower_case, [](char a, char b) {
        return identifier_fold[static_cast<unsigned char>(a)] == static_cast<unsigned char>(b);
    });
}

std::string_view one_if_foreign(std::string_view name) {
    return std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }) ? "\x80" : name;
}

namespace {

std::string unquoted(std::string_view inside) {
    std::string name;
    for (std::size_t i = 0; i < inside.size(); ++i) {
        name += inside[i];
        if (inside[i] == '"') ++i;  // "" stands for one
    }
    return name;
}

// NAMEDATALEN - 1: what PostgreSQL keeps of a name.
constexpr std::size_t name_length_max = 63;

}  // namespace

std::string identifier_text(Token const& token) {
    std::string name;
    if (token.kind == Token::Kind::word) {
        for (char c : token.text) name += static_cast<char>(identifier_fold[static_cast<unsigned char>(c)]);
    } else {
        auto const open = token.text.find('"');
        if (open != std::string_view::npos) name = unquoted(token.text.substr(open + 1, token.text.size() - open - 2));
    }
    // Cut where PostgreSQL cuts: not within a character of UTF-8.
    if (name.size() > name_length_max) {
        auto length = name_length_max;
        while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0) == 0x80) --length;
        name.resize(length);
    }
    return name;
}

bool is_safe_to_lex(std::string_view client_encoding) {
    std::string name;
    for (char c : client_encoding) {
        if (auto const folded = identifier_fold[static_cast<unsigned char>(c)];
            folded != 0 && folded != '_' && folded != '$') {
            name += static_cast<char>(folded);
        }
    }
    static constexpr std::string_view unsafe[] = {"sjis",   "mskanji",    "shiftjis", "win932", "windows932",  "big5",
                                                  "win950", "windows950", "gbk",      "win936", "windows936",  "uhc",
                                                  "win949", "windows949", "gb18030",  "johab",  "shiftjis2004"};
    return std::ranges::find(unsafe, std::string_view(name)) == std::end(unsafe);
}

}  // namespace pgtandem::sql
