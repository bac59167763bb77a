#include "proxy/database_view.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "sql/fingerprint.hpp"

namespace pgtandem::proxy {

namespace {

constexpr std::size_t most_analyses = 20000;
constexpr std::size_t path_schemas_max = 32;
constexpr std::size_t shown_bytes = 100;
constexpr std::size_t most_shown = 20;
// A text of many statements, or with a long value of a setting, is looked at each time.
constexpr std::size_t analysis_bytes_max = 64 << 10;
constexpr std::size_t analyses_bytes_max = 16 << 20;
constexpr std::size_t entry_bytes = 160 + shown_bytes;  // of the map, the count of references and the text that is shown
constexpr std::size_t most_long_texts = 20000;
sql::CatalogFacts const no_facts;

std::size_t bytes_of(sql::Analysis const& analysis) {
    auto bytes = entry_bytes + sizeof analysis + analysis.verdict.detail.capacity() + analysis.statements.capacity() * sizeof(sql::Effects);
    for (auto const& effects : analysis.statements) {
        bytes += effects.name.capacity() + effects.settings.capacity() * sizeof(sql::SettingChange);
        for (auto const& change : effects.settings) bytes += change.name.capacity() + change.replay.capacity();
    }
    return bytes;
}

// As long as the catalog has not been read, DDL may meet event triggers that nobody here knows of.
void expect_event_triggers(sql::Analysis& analysis) {
    for (auto& effects : analysis.statements) effects.runs_code = effects.runs_code || effects.changes_catalog;
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
    return statement.epoch == epoch_ && statement.path == path.key;
}

KnownPath DatabaseView::known_path(sql::SearchPath schemas) const {
    // Each name of a statement is looked for in all of them.
    if (!schemas || schemas->size() > path_schemas_max) return {};
    std::string text;
    for (auto const& name : *schemas) text.append(name).append(1, '\0');
    return {std::move(schemas), sql::keyed_hash(text, fingerprint_seed_) | 1};
}

std::shared_ptr<sql::Analysis const> DatabaseView::find(std::uint64_t key) {
    auto const found = analyses_.find(key);
    if (found == analyses_.end()) return nullptr;
    ++found->second.uses;
    return found->second.analysis;
}

std::shared_ptr<sql::Analysis const> DatabaseView::analyse(std::string_view text, Reading how, EndpointSettings const& settings, LongText const* has) {
    if (text.size() > settings.analysed_bytes) return nullptr;
    if (text.size() > sql::long_text_bytes) {
        auto const key = long_key(text, how);
        auto known = find_long(key);
        return known || has == nullptr || has->key != key ? known : has->analysis;
    }
    look();
    auto const fingerprint = sql::fingerprint(text, how.strings_conform, fingerprint_seed_);
    auto const key = fingerprint ^ how.path.key;
    if (auto known = find(key)) return known;
    auto const& facts = facts_ ? *facts_ : no_facts;
    auto const analysis = std::make_shared<sql::Analysis>(sql::analyze(text, how.strings_conform, facts));
    if (!facts_) expect_event_triggers(*analysis);
    if (analysis->has_too_many) return nullptr;
    analysis->fingerprint = fingerprint;
    if (settings.split) sql::judge(*analysis, text, how.strings_conform, facts, how.path.schemas);
    remember(key, analysis, text);
    return analysis;
}

// What it holds for this text alone is looked at again each time.
void DatabaseView::remember(std::uint64_t key, std::shared_ptr<sql::Analysis const> const& analysis, std::string_view text) {
    if (analysis->depends_on_literals || analysis->verdict.depends_on_literals) return;
    auto const bytes = bytes_of(*analysis);
    if (bytes > analysis_bytes_max) return;
    if (analyses_.size() >= most_analyses || analyses_bytes_ + bytes > analyses_bytes_max) forget_analyses();
    // Other databases have taken all there is.
    if (!memory_.has_room(MemoryFor::verdicts, bytes)) return;
    analyses_[key] = {analysis, std::string(text.substr(0, shown_bytes)), 1};
    analyses_bytes_ += bytes;
    memory_.add(MemoryFor::verdicts, bytes);
}

// Of its bytes: its fingerprint takes long to find out.
std::uint64_t DatabaseView::long_key(std::string_view text, Reading how) {
    look();
    return sql::keyed_hash(text, fingerprint_seed_ ^ (epoch_ << 1) ^ (how.strings_conform ? 1U : 0U)) ^ how.path.key;
}

bool DatabaseView::must_be_read(std::string_view text, Reading how, EndpointSettings const& settings, LongText const* has) {
    if (text.size() <= sql::long_text_bytes || text.size() > settings.analysed_bytes) return false;
    auto const key = long_key(text, how);
    return (has == nullptr || has->key != key) && find_long(key) == nullptr;
}

std::shared_ptr<sql::Analysis const> DatabaseView::find_long(std::uint64_t key) {
    auto const place = long_texts_.find(key);
    return place == long_texts_.end() ? nullptr : find(place->second);
}

void DatabaseView::read_beside(std::string_view text, Reading how, EndpointSettings const& settings, std::function<void(std::unique_ptr<LongText>)> answer) {
    if (!judge_.has_room()) return judge_.wait_for_room([answer] { answer(nullptr); });
    auto const key = long_key(text, how);
    judge_.read({std::string(text), how.strings_conform, facts_, how.path.schemas}, fingerprint_seed_,
                [this, key, epoch = epoch_, path_key = how.path.key, is_split = settings.split, answer = std::move(answer)](StatementJudge::Statement read) {
                    if (epoch != epoch_) return answer(nullptr);
                    answer(std::make_unique<LongText>(LongText{key, take_long(key, path_key, is_split, std::move(read))}));
                });
}

// It may be one that is known but for its literals.
std::shared_ptr<sql::Analysis const> DatabaseView::take_long(std::uint64_t key, std::uint64_t path_key, bool is_split, StatementJudge::Statement statement) {
    auto& analysis = statement.analysis;
    if (analysis.has_too_many) return nullptr;
    if (!statement.facts) expect_event_triggers(analysis);
    // A mark is of this very text.
    auto const known_by = analysis.marks.empty() ? analysis.fingerprint ^ path_key : key;
    auto known = find(known_by);
    if (!known) {
        analysis.is_verdict_due = is_split;
        if (is_split) analysis.verdict.reason = sql::Reason::too_long;
        known = std::make_shared<sql::Analysis const>(analysis);
        remember(known_by, known, statement.text);
        if (is_split && statement.facts && analyses_.contains(known_by)) have_judged(known_by, std::move(statement));
    }
    if (long_texts_.size() >= most_long_texts) long_texts_.clear();
    long_texts_[key] = known_by;
    return known;
}

// Where the verdict is of this very text, it stays what it is.
void DatabaseView::have_judged(std::uint64_t key, StatementJudge::Statement statement) {
    judge_.judge(std::move(statement), [this, key, epoch = epoch_](StatementJudge::Statement judged) {
        auto const found = analyses_.find(key);
        if (epoch != epoch_ || found == analyses_.end() || judged.analysis.verdict.depends_on_literals) return;
        judged.analysis.is_verdict_due = false;
        found->second.analysis = std::make_shared<sql::Analysis const>(std::move(judged.analysis));
    });
}

void DatabaseView::forget_analyses() {
    analyses_.clear();
    long_texts_.clear();
    memory_.remove(MemoryFor::verdicts, std::exchange(analyses_bytes_, 0));
}

void DatabaseView::describe(WorkerSnapshot& snapshot) const {
    snapshot.stats.push_back(stats);
    snapshot.stats.back().database = database_;
    snapshot.routes[database_] = routes;
    std::vector<Known const*> all;
    all.reserve(analyses_.size());
    for (auto const& [key, known] : analyses_) all.push_back(&known);
    // Each is copied: of thousands, those that will be shown.
    auto const shown = std::min(all.size(), most_shown);
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(shown), std::ranges::greater(), [](auto const* known) { return known->uses; });
    all.resize(shown);
    for (auto const* const known : all) {
        snapshot.statements.push_back({database_, known->text, std::string(sql::name(known->analysis->verdict.reason)), known->uses});
    }
}

}  // namespace pgtandem::proxy
