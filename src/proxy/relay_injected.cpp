// What the endpoint sends a backend on the session's behalf, but for statements (relay_names.cpp), and answers it gives itself.
#include <cassert>

#include "proxy/parse_settings.hpp"
#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

void Relay::attach(Backend& backend, Lease lease) {
    assert(at_.backend == nullptr);
    ++progress_;
    at_ = Attachment{.backend = &backend};
    at_.is_on_replica = at_.nothing_sent_to_replica = lease == Lease::read_on_replica;
    at_.was_placed = lease != Lease::ordinary;
    at_.has_reopened_block = std::exchange(block_was_aborted_, false);
    ignores_until_sync_ = false;
    bring_settings();
    bring_begin();
    // At login the client is told all of them in its turn.
    if (!is_ours() && seen_) tell_parameters();
}

void Relay::detach() {
    assert(at_.backend != nullptr);
    ++progress_;
    at_.backend->asked.clear();
    at_.backend->asked_sizes.clear();
    at_.backend->held.clear();
    // A client's own names are not to meet another client.
    if (!at_.client_names.empty() && !state_.is_pinned()) at_.backend->is_retired = true;
    at_ = {};
}

void Relay::tell_parameters() {
    if (seen_ == at_.backend->reported) return;
    write_differences(output(), seen_, at_.backend->reported);
    seen_ = at_.backend->reported;
}

void Relay::send_our_query(std::string_view text) {
    wire::Query{text}.write(to_server());
    Expected entry{Expect::query};
    entry.is_ours = true;
    pending().push(std::move(entry));
    at_.backend->unnamed.reset();  // a simple query ends the unnamed statement
    at_.backend->stream().flush();
}

// One statement within the client's extended query, under names of its own.
void Relay::send_our_statement(std::string_view text) {
    auto const name = fresh_name();
    auto& out = to_server();
    wire::Parse{name, text}.write(out);
    wire::Bind{name, name, wire::no_values}.write(out);
    wire::Execute{name}.write(out);
    wire::Close{'P', name}.write(out);
    wire::Close{'S', name}.write(out);
    for (auto const what : {Expect::parse, Expect::bind, Expect::execute, Expect::close, Expect::close}) {
        Expected entry{what};
        entry.is_ours = true;
        pending().push(std::move(entry));
    }
}

void Relay::bring_settings() {
    auto& backend = *at_.backend;
    state_.lacks_nothing();
    std::string text;
    if (backend.settings != state_.settings()) text = statements_between(*backend.settings, *state_.settings());
    if (state_.custom_settings() != nullptr) {
        // One that was reset is empty, and not unknown: also on a backend that has never had it.
        for (auto const& name : *state_.custom_settings()) {
            bool const is_new = backend.custom_settings.insert(name).second;
            if (is_new && !state_.settings()->contains(name)) add_statement(text, reset_statement(name));
        }
    }
    // What another session has drawn is nobody else's business, and what this one has drawn before is not all it has drawn.
    if (backend.drawn_by != 0 && !host_.has_drawn_on(backend)) {
        add_statement(text, "DISCARD SEQUENCES");
        backend.drawn_by = 0;
    }
    drop_plans_of_others(text);
    if (!text.empty()) send_our_query(text);
    backend.settings = state_.settings();
}

// What functions keep: a literal timestamp in PL/pgSQL is a moment since its first run, by the TimeZone of whoever ran it.
void Relay::drop_plans_of_others(std::string& text) {
    auto& backend = *at_.backend;
    constexpr std::uint64_t several = UINT64_MAX;
    bool const is_its_own = backend.planned_for == 0 || backend.planned_for == host_.id();
    backend.planned_for = is_its_own ? host_.id() : several;
    if (backend.planned_by == state_.settings()) return;
    bool const is_same = backend.planned_by && settings_for_kept_plans(backend.planned_by) == settings_for_kept_plans(state_.settings());
    // A session's own plans stay, by whichever of its settings they were made: the next one is not to have them.
    if (is_same || !is_its_own) backend.planned_by = state_.settings();
    else backend.planned_by = nullptr;
    if (is_same || is_its_own) return;
    backend.planned_for = host_.id();
    // Prepared statements would be read anew too, by the wrong settings.
    add_statement(text, "DISCARD PLANS; DEALLOCATE ALL");
    backend.prepared.clear();
}

void Relay::note_plans() {
    auto& backend = *at_.backend;
    auto const present = settings_for_kept_plans(state_.settings_for_parser(value_of(backend.reported, "DateStyle")));
    if (backend.planned_by && settings_for_kept_plans(backend.planned_by) != present) backend.planned_by = nullptr;
}

void Relay::bring_begin() {
    if (deferred_begin_.empty()) return;
    send_our_query(deferred_begin_);
    if (at_.is_on_replica) at_.block_begin = deferred_begin_;
    deferred_begin_.clear();
}

void Relay::push_answer(std::string message, std::function<void()> undo) {
    if (at_.backend == nullptr || pending().empty()) {
        client_.output().append(message);
        return;
    }
    Expected entry{Expect::answer};
    entry.local = std::move(message);
    entry.changes_names = undo != nullptr;
    entry.undo = std::move(undo);
    pending().push(std::move(entry));
}

// Answers whose turn has come, and marks that nothing answers.
void Relay::answer_local() {
    auto& expected = pending();
    while (!expected.empty() && (expected.front().what == Expect::answer || expected.front().what == Expect::copy_end)) {
        output().append(expected.front().local);
        expected.pop();
    }
}

}  // namespace pgtandem::proxy
