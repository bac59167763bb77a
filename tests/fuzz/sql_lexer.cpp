// Tokens are views of the text, in its order, with nothing but blanks and comments between them; a constant that is
// written again is one constant in every session.
#include <algorithm>

#include "sql/literal.hpp"
#include "support/fuzz.hpp"
#include "support/sql.hpp"

using namespace pgtandem;

namespace {

using Kind = sql::Token::Kind;

void check_literal(sql::Token const& token, bool standard_conforming_strings) {
    auto const literal = sql::portable_literal(token, standard_conforming_strings);
    if (!literal) return;
    for (bool const conforming : {false, true}) {
        auto const again = fuzz::tokens_of(*literal, conforming);
        fuzz::require(again.size() == 1 && again[0].kind == Kind::string && again[0].text == *literal);
    }
    if (auto const value = sql::plain_value(token)) fuzz::require(value->size() + 2 <= token.text.size());
}

void check_token(sql::Token const& token, bool standard_conforming_strings) {
    fuzz::require(!token.text.empty());
    if (token.is_name()) fuzz::require(sql::identifier_text(token).size() <= 63);
    if (token.kind == Kind::string) check_literal(token, standard_conforming_strings);
}

// Where only blanks were passed over.
void check_gap(std::string_view gap) {
    if (gap.find("--") != std::string_view::npos || gap.find("/*") != std::string_view::npos) return;
    fuzz::require(gap.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos);
}

}  // namespace

PGTANDEM_FUZZ_TARGET(sql_lexer) {
    for (bool const conforming : {false, true}) {
        auto rest = input;
        for (auto const& token : fuzz::tokens_of(input, conforming)) {
            check_token(token, conforming);
            auto const gap = static_cast<std::size_t>(token.text.data() - rest.data());
            fuzz::require(gap + token.text.size() <= rest.size());
            check_gap(rest.substr(0, gap));
            rest.remove_prefix(gap + token.text.size());
        }
        check_gap(rest);
    }
    // Only letters and digits count in an encoding's name.
    fuzz::require(sql::is_safe_to_lex(input) == sql::is_safe_to_lex(" -" + std::string(input) + "_"));
}
