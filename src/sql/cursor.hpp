// A place among the tokens of one statement, with what a hand-written parser asks for.
#pragma once
#include <string>
#include <string_view>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

class Cursor {
public:
    // 'text' is one statement without its ';'.
    Cursor(std::string_view text, bool standard_conforming_strings)
        : lexer_(text, standard_conforming_strings), token_(lexer_.next()) {}

    Token const& token() const { return token_; }
    bool done() const { return token_.kind == Token::Kind::end || token_.kind == Token::Kind::broken; }
    bool at(std::string_view keyword) const {
        return token_.kind == Token::Kind::word && equals_folded(token_.text, keyword);
    }
    bool accept(std::string_view keyword) { return at(keyword) && (advance(), true); }
    bool accept(char self) { return token_.is(self) && (advance(), true); }
    Token take() {
        auto const taken = token_;
        advance();
        return taken;
    }
    void advance() { token_ = lexer_.next(); }
    // The folded name here, or "" where none stands.
    std::string take_name() { return token_.is_name() ? identifier_text(take()) : std::string(); }

private:
    Lexer lexer_;
    Token token_;
};

}  // namespace pgtandem::sql
