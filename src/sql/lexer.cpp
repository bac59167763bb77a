#include "sql/lexer.hpp"

#include <array>
#include <cstring>

namespace pgtandem::sql {

namespace {

constexpr bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool is_newline(char c) { return c == '\n' || c == '\r'; }
constexpr bool is_decimal(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_octal(char c) { return c >= '0' && c <= '7'; }
constexpr bool is_binary(char c) { return c == '0' || c == '1'; }
constexpr bool is_hexadecimal(char c) { return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_identifier_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

// What a byte begins.
enum class Start : unsigned char { other, word, prefix, digit, op, quote, double_quote, dollar, dot, colon };

constexpr auto starts = [] {
    std::array<Start, 256> table{};
    for (int c = 0; c < 256; ++c) {
        if (is_identifier_start(static_cast<char>(c))) table[static_cast<std::size_t>(c)] = Start::word;
    }
    auto const set = [&](std::string_view letters, Start start) {
        for (char const letter : letters) table[static_cast<unsigned char>(letter)] = start;
    };
    set("eEbBxXnNuU", Start::prefix);
    set("0123456789", Start::digit);
    set("~!@#^&|`?+-*/%<>=", Start::op);
    table['\''] = Start::quote;
    table['"'] = Start::double_quote;
    table['$'] = Start::dollar;
    table['.'] = Start::dot;
    table[':'] = Start::colon;
    return table;
}();

Start start_of(char c) { return starts[static_cast<unsigned char>(c)]; }
unsigned char fold(char c) { return identifier_fold[static_cast<unsigned char>(c)]; }

}  // namespace

Token Lexer::next() {
    auto const* const blank = at_;
    if (at_ < end_ && (is_blank(*at_) || *at_ == '-' || *at_ == '/') && !skip_blanks()) return broken(blank);
    if (at_ == end_) return {Token::Kind::end, {end_, end_}};
    auto const* const start = at_;
    switch (start_of(*at_)) {
        case Start::word: return word();
        case Start::prefix:
            switch (peek(1)) {
                case '\'':
                    if ((*at_ | 0x20) != 'u') {
                        return string(start, at_ + 1,
                                      (*at_ | 0x20) == 'e' || ((*at_ | 0x20) == 'n' && !standard_conforming_strings_));
                    }
                    break;
                case '&':
                    if ((*at_ | 0x20) != 'u') break;
                    if (peek(2) == '"') return quoted(start, at_ + 2, Token::Kind::unicode);
                    // PostgreSQL refuses U&'' where a backslash may escape a quote.
                    if (peek(2) == '\'')
                        return standard_conforming_strings_ ? string(start, at_ + 2, false) : broken(start);
                    break;
                default: break;
            }
            return word();
        case Start::digit: return number();
        case Start::op: return oper();
        case Start::quote: return string(start, at_, !standard_conforming_strings_);
        case Start::double_quote: return quoted(start, at_, Token::Kind::quoted);
        case Start::dollar: return dollar();
        case Start::dot:
            if (is_decimal(peek(1))) return number();
            at_ += peek(1) == '.' ? 2 : 1;
            return take(Token::Kind::self, start);
        case Start::colon: at_ += peek(1) == ':' || peek(1) == '=' ? 2 : 1; return take(Token::Kind::self, start);
        case Start::other: break;
    }
    // PostgreSQL refuses control characters; kept out here, they can serve as marks in the fingerprint.
    if (static_cast<unsigned char>(*at_) < ' ') return broken(start);
    ++at_;
    return take(Token::Kind::self, start);
}

Token Lexer::broken(char const* start) {
    at_ = start;
    return {Token::Kind::broken, {start, end_}};
}

bool Lexer::skip_blanks() {
    while (at_ < end_) {
        if (is_blank(*at_)) {
            ++at_;
        } else if (*at_ == '-' && peek(1) == '-') {
            while (at_ < end_ && !is_newline(*at_)) ++at_;
        } else if (*at_ == '/' && peek(1) == '*') {
            if (!skip_comment()) return false;
        } else {
            break;
        }
    }
    return true;
}

bool Lexer::skip_comment() {
    std::size_t depth = 0;
    while (at_ < end_) {
        if (*at_ == '/' && peek(1) == '*') {
            ++depth;
            at_ += 2;
        } else if (*at_ == '*' && peek(1) == '/') {
            at_ += 2;
            if (--depth == 0) return true;
        } else {
            ++at_;
        }
    }
    return false;
}

Token Lexer::word() {
    auto const* const start = at_;
    while (at_ < end_ && fold(*at_) != 0) ++at_;
    return take(Token::Kind::word, start);
}

Token Lexer::string(char const* start, char const* quote, bool has_escapes) {
    at_ = quote;
    do {
        ++at_;
        if (!skip_string_body(has_escapes)) return broken(start);
    } while (skip_to_continuation());
    return take(Token::Kind::string, start);
}

// To behind the closing quote; false if there is none.
bool Lexer::skip_string_body(bool has_escapes) {
    while (at_ < end_) {
        char const c = *at_++;
        if (c == '\\' && has_escapes) {
            if (at_ == end_) return false;
            ++at_;
        } else if (c == '\'') {
            if (peek() != '\'') return true;
            ++at_;
        }
    }
    return false;
}

// A string goes on where only blanks and -- comments with a newline among them stand before the next quote.
bool Lexer::skip_to_continuation() {
    auto const* look = at_;
    bool has_newline = false;
    while (look < end_) {
        if (is_blank(*look)) {
            has_newline |= is_newline(*look);
            ++look;
        } else if (*look == '-' && look + 1 < end_ && look[1] == '-') {
            while (look < end_ && !is_newline(*look)) ++look;
        } else {
            break;
        }
    }
    if (!has_newline || look == end_ || *look != '\'') return false;
    at_ = look;
    return true;
}

Token Lexer::quoted(char const* start, char const* quote, Token::Kind kind) {
    at_ = quote + 1;
    while (at_ < end_) {
        if (*at_++ != '"') continue;
        // PostgreSQL refuses an empty name.
        if (peek() != '"') return at_ == quote + 2 ? broken(start) : take(kind, start);
        ++at_;
    }
    return broken(start);
}

Token Lexer::dollar() {
    auto const* const start = at_++;
    if (is_decimal(peek())) {
        while (is_decimal(peek())) ++at_;
        return take(Token::Kind::param, start);
    }
    auto const* tag = at_;
    if (tag < end_ && is_identifier_start(*tag)) {
        while (tag < end_ && *tag != '$' && fold(*tag) != 0) ++tag;
    }
    if (tag == end_ || *tag != '$') return take(Token::Kind::self, start);
    std::string_view const delimiter(start, static_cast<std::size_t>(tag + 1 - start));
    std::string_view const body(tag + 1, static_cast<std::size_t>(end_ - tag - 1));
    auto const close = body.find(delimiter);
    if (close == std::string_view::npos) return broken(start);
    at_ = body.data() + close + delimiter.size();
    return take(Token::Kind::string, start);
}

// Digits, with single '_' between them.
void Lexer::skip_digits(bool (*is_digit)(char)) {
    while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) ++at_;
}

Token Lexer::number() {
    auto const* const start = at_;
    auto const skip_prefixed = [&](bool (*is_digit)(char)) {
        if (!is_digit(peek(2)) && !(peek(2) == '_' && is_digit(peek(3)))) return false;
        at_ += 2;
        skip_digits(is_digit);
        return true;
    };
    if (*at_ == '0') {
        char const base = static_cast<char>(peek(1) | 0x20);
        if ((base == 'x' && skip_prefixed(is_hexadecimal)) || (base == 'o' && skip_prefixed(is_octal)) ||
            (base == 'b' && skip_prefixed(is_binary))) {
            return take(Token::Kind::number, start);
        }
    }
    if (is_decimal(*at_)) skip_digits(is_decimal);
    if (peek() == '.' && peek(1) != '.') {
        ++at_;
        if (is_decimal(peek())) skip_digits(is_decimal);
    }
    if ((peek() | 0x20) == 'e') {
        std::size_t const sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
        if (is_decimal(peek(1 + sign))) {
            at_ += 1 + sign;
            skip_digits(is_decimal);
        }
    }
    return take(Token::Kind::number, start);
}

// scan.l: an operator ends before a comment, and may end in + or - only if it has one of the characters that
// standard SQL's operators have not.
Token Lexer::oper() {
    auto const* const start = at_;
    if (start < signs_end_) {
        ++at_;
        return take(Token::Kind::op, start);
    }
    bool may_end_in_sign = false;
    while (at_ < end_ && start_of(*at_) == Start::op) {
        if ((*at_ == '/' && peek(1) == '*') || (*at_ == '-' && peek(1) == '-')) break;
        may_end_in_sign |= std::string_view("~!@#^&|`?%").find(*at_) != std::string_view::npos;
        ++at_;
    }
    if (!may_end_in_sign) {
        signs_end_ = at_;
        while (at_ - start > 1 && (at_[-1] == '+' || at_[-1] == '-')) --at_;
    }
    return take(Token::Kind::op, start);
}

}  // namespace pgtandem::sql
