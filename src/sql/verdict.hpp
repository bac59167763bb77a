// Whether a query text may run on a replica: whether all of it is proven to read, and to answer there as on the
// primary. Pure; PostgreSQL's own parser (libpg_query) on each call, so verdicts are to be kept by fingerprint.
#pragma once
#include <string>
#include <string_view>

#include "sql/catalog_facts.hpp"
#include "sql/known_names.hpp"
#include "sql/reason.hpp"
#include "sql/touched.hpp"

namespace pgtandem::sql {

struct Verdict {
    bool may_read = false;  // may run on a replica
    Reason reason = Reason::unparsable;
    std::string detail = {};  // of the reason: a function's or a relation's name, the parser's message; or ""
    // It holds for this very text only, not for all texts of the same fingerprint.
    bool depends_on_literals = false;
    // What it reads, and writes where that is all that speaks against a replica.
    Touched touched = Touched::all();
};

// The text is what the server will parse, in a client encoding for which is_safe_to_lex() (sql/lexer.hpp) holds. Hints
// in it are not obeyed here. DECLARE CURSOR has the verdict of its query; BEGIN and the like are the session's affair.
Verdict verdict(std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts,
                SearchPath const& path);

}  // namespace pgtandem::sql
