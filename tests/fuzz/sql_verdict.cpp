// Whether a text may run on a replica: the same whenever it is asked, and never of a text that sql/ itself takes for
// something other than a read, or that its lexer refuses.
#include "sql/verdict.hpp"

#include <algorithm>

#include "sql/hint.hpp"
#include "support/fuzz.hpp"
#include "support/sql.hpp"

using namespace pgtandem;

namespace {

sql::CatalogFacts const& small_facts() {
    static auto const facts = sql::CatalogFacts::from_rows(
        std::vector<sql::CatalogFacts::Row>{
            {"routines",
             "pg_catalog",
             {},
             "1 1 i count\n0 0 i count\n1 1 v nextval\n0 255 s concat\n1 2 s current_setting"},
            {"routines", "public", {}, "0 2 s f\n1 1 v w"},
            {"relations", "public", {}, "1r a\n2r b\n3u c"},
            {"operators", {}, {}, "=\n<>\n<\n>\n<=\n>=\n+\n-\n*\n||\n~~"}},
        {});
    fuzz::require(facts.has_value());
    return *facts;
}

// Or is one that sql/'s own reader does not make out, as WITH ... (SELECT 1).
bool may_read(sql::Effects const& effects) {
    static constexpr sql::Verb verbs[] = {sql::Verb::select, sql::Verb::values,  sql::Verb::table,   sql::Verb::show,
                                          sql::Verb::copy,   sql::Verb::explain, sql::Verb::declare, sql::Verb::other};
    return std::ranges::find(verbs, effects.verb) != std::end(verbs) && !effects.pins.contains(sql::Pin::hold_cursor);
}

}  // namespace

PGTANDEM_FUZZ_TARGET(sql_verdict) {
    for (bool const conforming : {false, true}) {
        auto const found = sql::verdict(input, conforming, small_facts(), {});
        auto const again = sql::verdict(input, conforming, small_facts(), {});
        fuzz::require(found.reason == again.reason && found.detail == again.detail);
        fuzz::require(found.may_read == (found.reason == sql::Reason::read));
        fuzz::require(!sql::verdict(input, conforming, fuzz::no_facts(), {}).may_read);
        if (input.find("pgtandem") == input.npos) fuzz::require(!sql::read_hint(input, conforming));
        if (!found.may_read) continue;
        fuzz::require(!fuzz::is_broken(fuzz::tokens_of(input, conforming)));
        fuzz::require(std::ranges::all_of(sql::analyze(input, conforming, small_facts()).statements, may_read));
    }
}
