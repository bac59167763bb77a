// Finds what the statements of a query text do to session state. Pure; never throws but for want of memory; no
// recursion on the text. Whatever is not proven harmless is pinned as unproven.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sql/catalog_facts.hpp"
#include "sql/effects.hpp"
#include "sql/text_marks.hpp"
#include "sql/verdict.hpp"

namespace pgtandem::sql {

struct Analysis {
    // One per statement that gives one CommandComplete, in order; empty statements give none. A text that PostgreSQL's
    // lexer would refuse is one unproven statement.
    std::vector<Effects> statements;
    // Whether it may run on a replica: verdict() of the same text, where judge() was asked.
    Verdict verdict{};
    // The verdict is 'too_long' until the statement has been judged elsewhere.
    bool is_verdict_due = false;
    // The result holds for this very text only, not for all texts of the same fingerprint.
    bool depends_on_literals = false;
    // There are more statements than are followed: 'statements' are the first of them.
    bool has_too_many = false;
    // Of a text of more than long_text_bytes, of which they are found out once.
    TextMarks marks{};
    std::uint64_t fingerprint = 0;  // by whose key, the asker knows
};

// What runs costs a little for each statement of the text, several times over.
inline constexpr std::size_t most_statements = 10000;

// Of the text that runs, whichever one of the same fingerprint was analysed.
inline std::optional<Hint> hint_of(Analysis const& analysis, std::string_view text) {
    return text.size() > long_text_bytes ? analysis.marks.hint : read_hint(text, true);
}
inline bool names_termination(Analysis const& analysis, std::string_view text) {
    return text.size() > long_text_bytes ? analysis.marks.names_termination : names_termination(text);
}

// The text is what the server will lex: in a client encoding for which is_safe_to_lex() (sql/lexer.hpp) holds.
Analysis analyze(std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts);

// Adds the verdict. What is proven to read does nothing to its session either: that its names look suspicious, for
// something else that has them too, does not count then.
void judge(Analysis& analysis, std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts,
           SearchPath const& path);

}  // namespace pgtandem::sql
