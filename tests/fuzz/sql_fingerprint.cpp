// A text and the same text with other literals, blanks and comments are the same statement, and do the same unless the
// analysis says that it holds for that very text only: so that one analysis may be kept for all of them.
#include "sql/fingerprint.hpp"

#include <algorithm>

#include "support/fuzz.hpp"
#include "support/sql.hpp"

using namespace pgtandem;

namespace {

using Kind = sql::Token::Kind;

std::string with_other_literals(std::vector<sql::Token> const& tokens) {
    std::string text = "/* other */";
    for (auto const& token : tokens) {
        if (token.kind == Kind::string) {
            text += "'other'";
        } else if (token.kind == Kind::number) {
            text += "7";
        } else {
            text += token.text;
        }
        text += " /* ' */ ";
    }
    return text;
}

}  // namespace

PGTANDEM_FUZZ_TARGET(sql_fingerprint) {
    for (bool const conforming : {false, true}) {
        auto const tokens = fuzz::tokens_of(input, conforming);
        if (fuzz::is_broken(tokens)) return;
        auto const other = with_other_literals(tokens);
        fuzz::require(sql::fingerprint(input, conforming, 1) == sql::fingerprint(other, conforming, 1));
        auto const analysis = sql::analyze(input, conforming, fuzz::no_facts());
        if (analysis.depends_on_literals) continue;
        auto const of_other = sql::analyze(other, conforming, fuzz::no_facts());
        fuzz::require(std::ranges::equal(analysis.statements, of_other.statements, fuzz::are_same));
    }
}
