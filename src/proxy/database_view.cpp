#include "proxy/database_view.hpp"

#include <utility>

#include "sql/fingerprint.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t most_analyses = 20000;
constexpr std::size_t path_schemas_max = 32;
constexpr std::size_t shown_bytes = 100;
// A text of many statements, or with a long value of a setting, is looked at each time.
constexpr std::size_t analysis_bytes_max = 64 << 10;
constexpr std::size_t analyses_bytes_max = 16 << 20;
constexpr std::size_t entry_bytes = 160 + shown_bytes;  // of the map, the count of references and the text that is shown
// A longer statement takes more than some milliseconds to judge, in which the worker's other clients would wait.
constexpr std::size_t judged_here_bytes_max = 16 << 10;
sql::CatalogFacts const no_facts;

std::size_t bytes_of(sql::Analysis const& analysis) {
    auto bytes = entry_bytes + sizeof analysis + analysis.verdict.detail.capacity() + analysis.statements.capacity() * sizeof(sql::Effects);
    for (auto const& effects : analysis.statements) {
        bytes += effects.name.capacity() + effects.settings.capacity() * sizeof(sql::SettingChange);
        for (auto const& change : effects.settings) bytes += change.name.capacity() + change.replay.capacity();
    }
    return bytes;
}

}  // namespace

// Once a turn is enough: what has been sent within one turn was sent at once.
void DatabaseView::look() {
    if (looked_at_ == loop_.now()) return;
    looked_at_ = loop_.now();
    auto const facts = catalog_.current(database_);
    facts_hold_ = facts != nullptr;
    if (!facts || facts == facts_) return;
    facts_ = facts;
    ++epoch_;
    forget_analyses();
}

bool DatabaseView::facts_hold() {
    look();
    return facts_hold_;
}

bool DatabaseView::has_login_trigger() {
    look();
    return facts_ && facts_->on_any_statement().contains(sql::Pin::login_trigger);
}

bool DatabaseView::holds(PreparedStatement const& statement, KnownPath const& path) {
    look();
    bool const is_judged = statement.analysis == nullptr || !statement.analysis->is_verdict_due;
    return is_judged && statement.epoch == epoch_ && statement.path == path.key;
}

KnownPath DatabaseView::known_path(sql::SearchPath schemas) const {
    // Each name of a statement is looked for in all of them.
    if (!schemas || schemas->size() > path_schemas_max) return {};
    std::string text;
    for (auto const& name : *schemas) text.append(name).append(1, '\0');
    return {std::move(schemas), sql::keyed_hash(text, fingerprint_seed_) | 1};
}

std::uint64_t DatabaseView::statement_key(std::string_view text, bool strings_conform) const {
    return sql::fingerprint(text, strings_conform, fingerprint_seed_) | 1;
}

std::shared_ptr<sql::Analysis const> DatabaseView::analyse(std::string_view text, Reading how, EndpointSettings const& settings) {
    if (text.size() > settings.analysed_bytes) return nullptr;
    look();
    auto const key = sql::fingerprint(text, how.strings_conform, fingerprint_seed_) ^ how.path.key;
    auto const found = analyses_.find(key);
    if (found != analyses_.end()) {
        ++found->second.uses;
        return found->second.analysis;
    }
    auto const& facts = facts_ ? *facts_ : no_facts;
    auto const analysis = std::make_shared<sql::Analysis>(sql::analyze(text, how.strings_conform, facts));
    // As long as the catalog has not been read, DDL may meet event triggers that nobody here knows of.
    if (!facts_) {
        for (auto& effects : analysis->statements) effects.runs_code = effects.runs_code || effects.changes_catalog;
    }
    bool const is_long = text.size() > judged_here_bytes_max;
    if (settings.split && is_long) {
        analysis->is_verdict_due = true;
        analysis->verdict.reason = sql::Reason::too_long;
    } else if (settings.split) {
        sql::judge(*analysis, text, how.strings_conform, facts, how.path.schemas);
    }
    if (analysis->depends_on_literals || analysis->verdict.depends_on_literals) return analysis;
    auto const bytes = bytes_of(*analysis);
    if (bytes > analysis_bytes_max) return analysis;
    if (analyses_.size() >= most_analyses || analyses_bytes_ + bytes > analyses_bytes_max) forget_analyses();
    // Other databases have taken all there is.
    if (!memory_.has_room(MemoryFor::verdicts, bytes)) return analysis;
    analyses_[key] = {analysis, std::string(text.substr(0, shown_bytes)), 1};
    analyses_bytes_ += bytes;
    memory_.add(MemoryFor::verdicts, bytes);
    if (analysis->is_verdict_due && facts_) have_judged(key, text, how, *analysis);
    return analysis;
}

// Where too much waits, and where the verdict is of this very text, it stays what it is.
void DatabaseView::have_judged(std::uint64_t key, std::string_view text, Reading how, sql::Analysis const& analysis) {
    judge_.ask({std::string(text), how.strings_conform, facts_, how.path.schemas, analysis}, [this, key, epoch = epoch_](sql::Analysis judged) {
        auto const found = analyses_.find(key);
        if (epoch != epoch_ || found == analyses_.end() || judged.verdict.depends_on_literals) return;
        judged.is_verdict_due = false;
        found->second.analysis = std::make_shared<sql::Analysis const>(std::move(judged));
    });
}

void DatabaseView::forget_analyses() {
    analyses_.clear();
    memory_.remove(MemoryFor::verdicts, std::exchange(analyses_bytes_, 0));
}

void DatabaseView::describe(WorkerSnapshot& snapshot) const {
    snapshot.stats.push_back(stats);
    snapshot.stats.back().database = database_;
    snapshot.routes[database_] = routes;
    for (auto const& [key, known] : analyses_) {
        snapshot.statements.push_back({database_, known.text, std::string(sql::name(known.analysis->verdict.reason)), known.uses});
    }
}

}  // namespace pgtandem::proxy
