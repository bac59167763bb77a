// Finds what the statements of a query text do to session state. Pure; never throws but for want of memory; no
// recursion on the text. Whatever is not proven harmless is pinned as unproven.
#pragma once
#include <string_view>
#include <vector>

#include "sql/catalog_facts.hpp"
#include "sql/effects.hpp"
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
};

// The text is what the server will lex: in a client encoding for which is_safe_to_lex() (sql/lexer.hpp) holds.
Analysis analyze(std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts);

// Adds the verdict. What is proven to read does nothing to its session either: that its names look suspicious, for
// something else that has them too, does not count then.
void judge(Analysis& analysis, std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts,
           SearchPath const& path);

}  // namespace pgtandem::sql
