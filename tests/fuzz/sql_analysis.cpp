// What the statements of a text do: the same whenever it is asked, and a text the lexer refuses is unproven as a whole.
// What brings a setting along to another backend is one statement, and sets that setting there, however that backend
// reads strings.
#include "sql/analyze.hpp"

#include <algorithm>

#include "support/fuzz.hpp"
#include "support/sql.hpp"

using namespace pgtandem;

namespace {

void check_replay(sql::SettingChange const& change) {
    bool const is_reset = change.kind == sql::SettingChange::Kind::reset || change.kind == sql::SettingChange::Kind::reset_all;
    fuzz::require(change.replay.empty() == is_reset);
    if (is_reset) return;
    for (bool const conforming : {false, true}) {
        auto const again = sql::analyze(change.replay, conforming, fuzz::no_facts());
        fuzz::require(again.statements.size() == 1 && again.statements[0].settings.size() == 1);
        fuzz::require(again.statements[0].settings[0].name == change.name);
    }
}

void check_effects(sql::Effects const& effects) {
    for (auto const& change : effects.settings) check_replay(change);
    if (effects.verb == sql::Verb::other) fuzz::require(effects.pins.contains(sql::Pin::unproven));
    if (effects.verb == sql::Verb::ddl) fuzz::require(effects.changes_catalog);
    if (effects.is_plain_begin) fuzz::require(effects.verb == sql::Verb::begin && effects.pins.empty());
}

}  // namespace

PGTANDEM_FUZZ_TARGET(sql_analysis) {
    for (bool const conforming : {false, true}) {
        auto const analysis = sql::analyze(input, conforming, fuzz::no_facts());
        std::ranges::for_each(analysis.statements, check_effects);
        auto const again = sql::analyze(input, conforming, fuzz::no_facts());
        fuzz::require(std::ranges::equal(analysis.statements, again.statements, fuzz::are_same));
        if (!fuzz::is_broken(fuzz::tokens_of(input, conforming))) continue;
        fuzz::require(analysis.statements.size() == 1 && analysis.depends_on_literals);
        fuzz::require(analysis.statements[0].pins.contains(sql::Pin::unproven));
    }
}
