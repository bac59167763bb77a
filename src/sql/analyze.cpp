#include "sql/analyze.hpp"

#include "sql/statement_scan.hpp"
#include "sql/statements.hpp"

namespace pgtandem::sql {

Analysis analyze(std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts) {
    Analysis analysis;
    Lexer lexer(text, standard_conforming_strings);
    for (bool is_last = false; !is_last;) {
        auto const scan = scan_statement(lexer, facts);
        is_last = scan.is_last;
        if (scan.token_count == 0) continue;
        if (analysis.statements.size() == most_statements) {
            analysis.has_too_many = true;
            break;
        }
        // A broken text is refused as a whole.
        if (scan.is_broken) analysis.statements.clear();
        auto const& effects =
            analysis.statements.emplace_back(statement_effects(scan, standard_conforming_strings, facts));
        bool const tells_in_literals = effects.verb == Verb::set || effects.verb == Verb::do_ || scan.calls_set_config || scan.is_broken;
        analysis.depends_on_literals |= tells_in_literals;
    }
    return analysis;
}

void judge(Analysis& analysis, std::string_view text, bool standard_conforming_strings, CatalogFacts const& facts,
           SearchPath const& path) {
    analysis.verdict = verdict(text, standard_conforming_strings, facts, path);
    if (!analysis.verdict.may_read) return;
    for (auto& effects : analysis.statements) effects.pins = effects.pins.minus(Pin::unproven);
}

}  // namespace pgtandem::sql
