// What a statement may do is found out before it is sent.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// Of a BEGIN that is kept until there is a backend for it.
constexpr std::size_t longest_deferred = 1024;

char const* transaction_tag(sql::Verb verb) { return verb == sql::Verb::commit ? "COMMIT" : "ROLLBACK"; }

bool starts_with_start(std::string_view text) {
    auto const word = text.find_first_of("sSbB");
    return word != std::string_view::npos && (text[word] == 's' || text[word] == 'S');
}

bool ends_transaction(sql::Verb verb) {
    return verb == sql::Verb::commit || verb == sql::Verb::rollback || verb == sql::Verb::rollback_to;
}

}  // namespace

// Null: it cannot be looked at, for its length or its encoding.
void Relay::check_before(sql::Analysis const* analysis, std::string_view text) {
    ++host_.stats().queries;
    host_.placed(analysis, text);
    if (may_have_written(analysis)) note_write(analysis == nullptr ? sql::Touched::all() : analysis->verdict.touched);
    // What runs on a replica was found to leave nothing behind, or is refused there.
    if (!at_.is_on_replica) note_state(analysis, text);
    if (analysis != nullptr && std::ranges::any_of(analysis->statements, &sql::Effects::sets_for_itself)) at_.backend->planned_by = nullptr;
    if (may_reach_names()) use_client_names();
}

void Relay::note_write(sql::Touched const& touched) {
    if (!at_.written) at_.written.emplace();
    at_.written->add(touched);
}

void Relay::note_state(sql::Analysis const* analysis, std::string_view text) {
    if (analysis == nullptr) state_.pin(can_read() ? sql::Pin::too_long : sql::Pin::unproven, text);
    else state_.about_to_run(*analysis, text, host_.facts_hold());
}

// The catalog is being read again, and what the statement does depends on it, or is not known.
bool Relay::must_wait_for_facts(sql::Analysis const* analysis) {
    return (analysis == nullptr || std::ranges::any_of(analysis->statements, sql::runs_on_catalog)) && host_.must_wait_for_facts();
}

std::shared_ptr<sql::Analysis const> Relay::analysis_of(PreparedRef const& statement) {
    if (!statement->has_text || !can_read()) return nullptr;
    bool const holds = host_.holds(*statement);
    bool const is_done = statement->analysis == nullptr || !statement->analysis->is_verdict_due;
    if (holds && is_done) return statement->analysis;
    // It was read so by the server, and stays so.
    auto analysis = host_.analyse(statement->text, statement->strings_conform);
    return analysis || !holds ? analysis : statement->analysis;
}

bool Relay::must_wait_to_read(PreparedRef const& statement) {
    bool const is_long = statement && statement->text.size() > sql::long_text_bytes;
    bool const is_to_be_read = is_long && can_read() && statement->has_text && !host_.holds(*statement);
    return is_to_be_read && host_.must_wait_to_read(statement->text, statement->strings_conform);
}

std::shared_ptr<sql::Analysis const> Relay::look_at(std::string_view text) {
    return can_read() ? host_.analyse(text, strings_conform()) : nullptr;
}

// Names and settings after it depend on how it ends.
bool Relay::changes_session(sql::Analysis const* analysis) const {
    if (analysis == nullptr) return false;
    bool const may_take_back = state_.has_pending_changes() || at_.backend->expected.may_change_session();
    return std::ranges::any_of(analysis->statements, [&](sql::Effects const& effects) {
        using enum sql::Verb;
        bool const changes_names = effects.verb == deallocate || effects.verb == deallocate_all || effects.verb == discard_all;
        // Within a COPY another message has no place.
        return changes_names || effects.verb == copy || !effects.settings.empty() || (may_take_back && ends_transaction(effects.verb));
    });
}

void Relay::push_statement(Expect what, std::shared_ptr<sql::Analysis const> analysis) {
    Expected entry{what};
    // What is answered by ReadyForQuery ends a transaction, unless it is within a block.
    bool const ends = entry.ends_in_ready() && (state_.has_pending_changes() || pending().may_change_session());
    // Where the server refuses what the endpoint has sent before a query, the query is answered in its place, and nothing behind it.
    bool const may_be_overlooked = entry.ends_in_ready() && what != Expect::sync && pending().batch_has_ours();
    entry.changes_session = ends || may_be_overlooked || changes_session(analysis.get());
    entry.analysis = std::move(analysis);
    if (what == Expect::query && !pending().empty()) {
        entry.undo = [this, before = state_.find("")] {
            state_.set("", before);
            at_.backend->unnamed = unknown_statement();
        };
    }
    pending().push(std::move(entry));
}

// BEGIN goes with the first statement; a block that never had one ends here.
bool Relay::answer_transaction_command(sql::Effects const& effects, std::string_view text) {
    auto& out = client_.output();
    if (deferred_begin_.empty() && defers_begin_ && effects.is_plain_begin && text.size() <= longest_deferred) {
        deferred_begin_ = text;
        begin_reads_ = effects.is_read_only && may_begin_on_replica(text);
        wire::CommandComplete{starts_with_start(text) ? "START TRANSACTION" : "BEGIN"}.write(out);
        wire::ReadyForQuery{'T'}.write(out);
        return true;
    }
    bool const ends = effects.verb == sql::Verb::commit || effects.verb == sql::Verb::rollback;
    if (deferred_begin_.empty() || !ends || effects.has_chain) return false;
    deferred_begin_.clear();
    state_.portals().end_all();
    wire::CommandComplete{transaction_tag(effects.verb)}.write(out);
    wire::ReadyForQuery{'I'}.write(out);
    return true;
}

Relay::Took Relay::take_query(std::string_view message, std::string_view body) {
    auto const query = wire::Query::parse(body);
    if (!query) return Took::malformed;
    if (!is_settled()) return settle();
    if (auto const own = read_own_statement(query->text, strings_conform())) return take_own_query(*own);
    if (!looked_at_ && must_wait_to_read(query->text)) return Took::await_reading;
    auto const analysis = looked_at_ ? std::exchange(looked_at_, nullptr) : look_at(query->text);
    // Of a session that is pinned for not being understood nothing more is to be found out.
    bool const may_leave_more = !state_.pins().contains(sql::Pin::unproven);
    if (may_leave_more && must_wait_for_facts(analysis.get())) return Took::need_facts;
    bool const is_single = analysis && analysis->statements.size() == 1;
    if (is_single && at_.backend == nullptr && answer_transaction_command(analysis->statements.front(), query->text)) return Took::yes;
    if (!has_backend()) return Took::need_backend;
    if (reaches_names(analysis.get())) {
        // Whether they can be parsed depends on what comes before.
        if (is_busy()) return settle();
        if (must_reopen_block(*analysis)) {
            reopen_block(analysis);
            return settle();
        }
    }
    check_before(analysis.get(), query->text);
    bring_named(analysis.get(), query->text, true);
    if (at_.has_reopened_block) abort_block_again();
    push_statement(Expect::query, analysis);
    state_.drop_unnamed();
    // The server does so with one that it knows of.
    if (auto const portal = state_.bound(""); portal && portal->own) state_.portals().unbind("");
    at_.backend->unnamed.reset();
    forward(message);
    return Took::yes;
}

}  // namespace pgtandem::proxy
