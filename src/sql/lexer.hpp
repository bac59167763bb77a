// PostgreSQL's lexer (src/backend/parser/scan.l) over a text that stays where it is: tokens are views of it.
// Comments and white space are not given. What PostgreSQL would refuse as unterminated is one 'broken' token.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pgtandem::sql {

struct Token {
    enum class Kind : std::uint8_t {
        end,
        word,     // a keyword or an unquoted identifier
        quoted,   // "identifier", with its quotes
        unicode,  // U&"identifier"
        string,   // every kind of string constant, with its quotes and continuations
        number,
        param,  // $1
        op,     // an operator of op_chars, as long as PostgreSQL takes it
        self,   // any other single character, and :: := ..
        broken,
    };

    Kind kind = Kind::end;
    std::string_view text;

    bool is(char character) const { return kind == Kind::self && text.size() == 1 && text[0] == character; }
    bool is_name() const { return kind == Kind::word || kind == Kind::quoted || kind == Kind::unicode; }
};

// 0 for bytes that cannot stand in an identifier, else the byte in lower case (ASCII only, as PostgreSQL folds).
extern std::array<unsigned char, 256> const identifier_fold;

class Lexer {
public:
    Lexer(std::string_view text, bool standard_conforming_strings)
        : at_(text.data()),
          end_(text.data() + text.size()),
          signs_end_(text.data()),
          standard_conforming_strings_(standard_conforming_strings) {}

    // After 'end' or 'broken' it gives the same again.
    Token next();

private:
    bool skip_blanks();  // false: a comment does not end
    bool skip_comment();
    Token word();
    Token string(char const* start, char const* quote, bool has_escapes);
    bool skip_string_body(bool has_escapes);
    bool skip_to_continuation();
    Token quoted(char const* start, char const* quote, Token::Kind kind);
    Token dollar();
    Token number();
    void skip_digits(bool (*is_digit)(char));
    Token oper();
    Token take(Token::Kind kind, char const* start) const { return {kind, {start, at_}}; }
    Token broken(char const* start);
    char peek(std::size_t ahead = 0) const { return at_ + ahead < end_ ? at_[ahead] : '\0'; }
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    char const* at_;
    char const* end_;
    // Up to here each sign that oper() has passed over and given back is an operator: looked at once, however many.
    char const* signs_end_;
    bool standard_conforming_strings_;
};

// Whether 'word' is the given lower-case keyword in any case.
bool equals_folded(std::string_view word, std::string_view lower_case);

// A name as PostgreSQL keeps it: words folded, quotes taken off. A U& name with escapes is not unescaped.
std::string identifier_text(Token const& token);

// The name, or the one name that stands for all that have letters beyond ASCII: the client's encoding, and how the server
// folds such letters in encodings of one byte a letter, are not known here.
std::string_view one_if_foreign(std::string_view name);

// In these client encodings no byte of a longer character can be taken for an ASCII one. Statements in any other
// (SJIS, BIG5, GBK, UHC, GB18030, JOHAB, SHIFT_JIS_2004) must not be analyzed. Takes any spelling PostgreSQL takes.
bool is_safe_to_lex(std::string_view client_encoding);

}  // namespace pgtandem::sql
