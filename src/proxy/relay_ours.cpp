// What the proxy sends a backend on the session's behalf, and answers it gives itself.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

void Relay::attach(Backend& backend, Lease lease) {
    backend_ = &backend;
    is_on_replica_ = is_fresh_ = lease == Lease::read_on_replica;
    was_placed_ = lease != Lease::ordinary;
    may_have_written_ = false;
    is_in_copy_in_ = client_copies_ = false;
    ignores_until_sync_ = has_names_ = false;
    bring_settings();
    bring_begin();
    // At login the client is told all of them in its turn.
    if (!is_ours() && seen_) tell_parameters();
}

void Relay::detach() {
    backend_->asked.clear();
    backend_->asked_sizes.clear();
    backend_->held.clear();
    backend_ = nullptr;
    is_on_replica_ = false;
    holds_ = drops_ = false;
    batch_left_ = 0;
    block_begin_.clear();
    server_passing_ = 0;
}

void Relay::tell_parameters() {
    if (seen_ == backend_->reported) return;
    write_differences(output(), seen_, backend_->reported);
    seen_ = backend_->reported;
}

void Relay::send_our_query(std::string_view text) {
    wire::Query{text}.write(backend_->stream().output());
    backend_->expected.push({Expect::query, true});
    backend_->unnamed.reset();  // a simple query ends the unnamed statement
    backend_->stream().flush();
}

void Relay::bring_settings() {
    state_.lacks_nothing();
    std::string text;
    if (backend_->settings != state_.settings()) text = statements_between(*backend_->settings, *state_.settings());
    if (state_.custom_settings() != nullptr) {
        // One that was reset is empty, and not unknown: also on a backend that has never had it.
        for (auto const& name : *state_.custom_settings()) {
            bool const is_new = backend_->custom_settings.insert(name).second;
            if (is_new && !state_.settings()->contains(name)) add_statement(text, reset_statement(name));
        }
    }
    // What another session has drawn is nobody else's business, and what this one has drawn before is not all it has drawn.
    if (backend_->drawn_by != 0 && !host_.has_drawn_on(*backend_)) {
        add_statement(text, "DISCARD SEQUENCES");
        backend_->drawn_by = 0;
    }
    if (!text.empty()) send_our_query(text);
    backend_->settings = state_.settings();
}

void Relay::bring_begin() {
    if (deferred_begin_.empty()) return;
    send_our_query(deferred_begin_);
    if (is_on_replica_) block_begin_ = deferred_begin_;
    deferred_begin_.clear();
}

void Relay::make_room_for_statement() {
    if (backend_->prepared.size() < settings_->prepared_statements) return;
    close_statement(backend_->prepared.oldest());
}

// By value: what the backend has is changed here.
void Relay::close_statement(PreparedRef statement) {
    wire::Close{'S', statement->server_name()}.write(backend_->stream().output());
    backend_->prepared.remove(statement->id);
    Expected entry{Expect::close, true};
    entry.prepared = std::move(statement);
    backend_->expected.push(std::move(entry));
}

void Relay::send_parse(std::string_view name, PreparedStatement const& statement) {
    auto const count = static_cast<std::uint16_t>(statement.types.size() / 4);
    wire::Parse{name, statement.text, statement.types, count}.write(backend_->stream().output());
}

// The statement under its server name.
void Relay::bring_statement(PreparedRef const& statement) {
    if (backend_->prepared.use(statement->id)) return;
    make_room_for_statement();
    backend_->prepared.add(statement);
    Expected entry{Expect::parse, true};
    entry.prepared = statement;
    backend_->expected.push(std::move(entry));
    send_parse(statement->server_name(), *statement);
}

void Relay::bring_unnamed(PreparedRef const& statement) {
    if (backend_->unnamed == statement) return;
    backend_->unnamed = statement;
    Expected entry{Expect::parse, true};
    entry.prepared = statement;
    backend_->expected.push(std::move(entry));
    send_parse("", *statement);
}

// Another session's unnamed statement is not this one's.
void Relay::close_unnamed() {
    if (!backend_->unnamed) return;
    backend_->unnamed.reset();
    wire::Close{'S', ""}.write(backend_->stream().output());
    backend_->expected.push({Expect::close, true});
}

// The statement under the client's own name, for SQL that names it or a Parse that meets it. A server that has it already
// has it from this session.
void Relay::bring_name(std::string const& name, PreparedRef const& statement) {
    Expected entry{Expect::parse, true};
    entry.name = name;
    backend_->expected.push(std::move(entry));
    send_parse(name, *statement);
}

// The session's statements under the client's names, and nobody else's: what it sees of them is what it has made. From now on
// they are passed as the client names them.
void Relay::bring_all_names() {
    while (backend_->prepared.size() > 0) close_statement(backend_->prepared.oldest());
    for (auto const& [name, statement] : state_.statements()) {
        if (statement->own) continue;
        // One that was brought before, when not all could be.
        wire::Close{'S', name}.write(backend_->stream().output());
        backend_->expected.push({Expect::close, true});
        bring_name(name, statement);
    }
    has_names_ = true;
}

// Brings the statements that SQL names, or looks at, which the backend knows by other names. True: there were some.
bool Relay::bring_named(sql::Analysis const& analysis, std::string_view text) {
    bool const sees_names = std::ranges::any_of(analysis.statements, [](auto const& effects) { return effects.pins.contains(sql::Pin::statement_names); });
    if (sees_names) state_.pin(sql::Pin::statement_names, text);
    // Where nothing pins, the names cannot stay.
    if (sees_names && state_.is_pinned()) {
        bring_all_names();
        return true;
    }
    if (analysis.statements.size() != 1) return false;
    auto const& effects = analysis.statements.front();
    bool const executes = effects.verb == sql::Verb::execute;
    if (!executes && effects.verb != sql::Verb::deallocate) return false;
    auto const statement = effects.name.empty() ? nullptr : state_.find(effects.name);
    if (!statement) return false;
    bring_name(effects.name, statement);
    if (executes) {
        // It stays under that name, so from now on it is the backend's.
        state_.set(effects.name, nullptr);
        state_.pin(sql::Pin::prepared_statement, statement->text);
    }
    return true;
}

void Relay::bring_what_it_names(sql::Analysis const* analysis, std::string_view text, bool is_query) {
    if (analysis == nullptr || has_names_ || backend_->transaction == 'E') return;
    if (!bring_named(*analysis, text) || !is_query) return;
    // Between an extended message and a simple query there must be a Sync, or an error would swallow the query.
    wire::write_sync(backend_->stream().output());
    backend_->expected.push({Expect::sync, true});
}

void Relay::push_answer(std::string message, std::string name, PreparedRef before) {
    if (backend_ == nullptr || backend_->expected.empty()) {
        client_.output().append(message);
        return;
    }
    Expected entry{Expect::answer, false, true};
    entry.local = std::move(message);
    entry.name = std::move(name);
    entry.prepared = std::move(before);
    backend_->expected.push(std::move(entry));
}

// Answers whose turn has come, and marks that nothing answers.
void Relay::answer_local() {
    auto& expected = backend_->expected;
    while (!expected.empty() && (expected.front().what == Expect::answer || expected.front().what == Expect::copy_end)) {
        output().append(expected.front().local);
        expected.pop();
    }
}

}  // namespace pgtandem::proxy
