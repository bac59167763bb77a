#include "proxy/database_view.hpp"

#include "sql/fingerprint.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t most_analyses = 20000;
constexpr std::size_t path_schemas_max = 32;
constexpr std::size_t shown_bytes = 100;
sql::CatalogFacts const no_facts;

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
    analyses_.clear();
}

bool DatabaseView::facts_hold() {
    look();
    return facts_hold_;
}

bool DatabaseView::holds(PreparedStatement const& statement, KnownPath const& path) {
    look();
    return statement.epoch == epoch_ && statement.path == path.key;
}

KnownPath DatabaseView::known_path(sql::SearchPath schemas) const {
    // Each name of a statement is looked for in all of them.
    if (!schemas || schemas->size() > path_schemas_max) return {};
    std::string text;
    for (auto const& name : *schemas) text.append(name).append(1, '\0');
    return {std::move(schemas), sql::keyed_hash(text, fingerprint_seed_) | 1};
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
    if (settings.split) sql::judge(*analysis, text, how.strings_conform, facts, how.path.schemas);
    if (analysis->depends_on_literals || analysis->verdict.depends_on_literals) return analysis;
    if (analyses_.size() >= most_analyses) analyses_.clear();
    analyses_[key] = {analysis, std::string(text.substr(0, shown_bytes)), 1};
    return analysis;
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
