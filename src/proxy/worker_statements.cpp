// What a worker knows of statements: looked at once for each text and each state of the catalog.
#include <algorithm>

#include "proxy/worker.hpp"
#include "sql/analyze.hpp"
#include "sql/fingerprint.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t most_analyses = 20000;
constexpr std::size_t shown_bytes = 100;
constexpr std::size_t most_shown = 20;
sql::CatalogFacts const no_facts;

}  // namespace

Worker::DatabaseView& Worker::view_of(std::string const& database) {
    auto& view = views_[database];
    if (!view) view = std::make_unique<DatabaseView>();
    return *view;
}

// Once a turn is enough: what has been sent within one turn was sent at once.
void Worker::look(DatabaseView& view, std::string const& database) {
    if (view.looked_at == loop_->now()) return;
    view.looked_at = loop_->now();
    auto const facts = shared_.catalog.current(database);
    view.facts_hold = facts != nullptr;
    if (!facts || facts == view.facts) return;
    view.facts = facts;
    ++view.epoch;
    view.analyses.clear();
}

bool Worker::facts_hold(std::string const& database) {
    auto& view = view_of(database);
    look(view, database);
    return view.facts_hold;
}

std::uint64_t Worker::epoch(std::string const& database) {
    auto& view = view_of(database);
    look(view, database);
    return view.epoch;
}

std::shared_ptr<sql::Analysis const> Worker::analyse(std::string const& database, std::string_view text, bool strings_conform) {
    if (text.size() > settings_->analysed_bytes) return nullptr;
    auto& view = view_of(database);
    look(view, database);
    auto const fingerprint = sql::fingerprint(text, strings_conform, fingerprint_seed_);
    auto const found = view.analyses.find(fingerprint);
    if (found != view.analyses.end()) {
        ++found->second.uses;
        return found->second.analysis;
    }
    auto const& facts = view.facts ? *view.facts : no_facts;
    auto const analysis = std::make_shared<sql::Analysis>(sql::analyze(text, strings_conform, facts));
    if (settings_->split) sql::judge(*analysis, text, strings_conform, facts, std::nullopt);
    if (analysis->depends_on_literals || analysis->verdict.depends_on_literals) return analysis;
    if (view.analyses.size() >= most_analyses) view.analyses.clear();
    view.analyses[fingerprint] = {analysis, std::string(text.substr(0, shown_bytes)), 1};
    return analysis;
}

PreparedRef Worker::prepare(std::string const& database, std::string_view text, std::string_view types, bool strings_conform) {
    auto const now = epoch(database);
    if (auto known = prepared_.find(database, now, text, types)) return known;
    return prepared_.add(database, now, text, types, analyse(database, text, strings_conform), read_own_statement(text, strings_conform));
}

void Worker::describe_statements(WorkerSnapshot& snapshot) const {
    for (auto const& [database, view] : views_) {
        for (auto const& [fingerprint, known] : view->analyses) {
            snapshot.statements.push_back({database, known.text, std::string(sql::name(known.analysis->verdict.reason)), known.uses});
        }
    }
    auto& all = snapshot.statements;
    auto const shown = std::min(all.size(), most_shown);
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown), std::ranges::greater(), &StatementInfo::count);
    all.resize(shown);
}

void Worker::refresh_facts(std::string const& database, ClientSession& session, std::function<void(bool)> ready) {
    auto const id = session.id();
    shared_.catalog.refresh(database, [this, id, database, ready = std::move(ready)](CatalogWatch::Facts const& facts) {
        loop_->post([this, id, database, ready, are_there = facts != nullptr] {
            view_of(database).looked_at = {};
            if (sessions_.contains(id)) ready(are_there);
        });
    });
}

void Worker::catalog_changed(std::string const& database) {
    shared_.catalog.invalidate(database);
    view_of(database).looked_at = {};
}

}  // namespace pgtandem::proxy
