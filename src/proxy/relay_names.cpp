// Statements that a backend lacks are prepared there anew; and the names that they have there. As long as a backend is shared they
// have names of the endpoint's, which no client's message or SQL reaches. A session that may reach names by SQL keeps its backend,
// takes the others' statements from it, and has its own there by its own names.
#include <algorithm>

#include "pg/quoting.hpp"
#include "proxy/parse_settings.hpp"
#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// Of the texts of one backend's statements.
constexpr std::size_t most_bytes_on_backend = 4 << 20;

Expected ours(Expect what) {
    Expected entry{what};
    entry.is_ours = true;
    return entry;
}

// Without parameters its first plan is kept, and with it what the planner folds: that is to be by its settings too.
bool is_planned_once(PreparedStatement const& statement) {
    return statement.description ? statement.description->parameters.empty() : statement.text.find('$') == std::string::npos;
}

wire::ErrorFields changed_result_type() {
    auto error = make_error("ERROR", "0A000", "cached plan must not change result type");
    // Drivers tell by the routine that preparing the statement again helps.
    error.routine = "RevalidateCachedQuery";
    return error;
}

}  // namespace

// One that no statement has there.
std::string Relay::fresh_name() {
    auto name = at_.backend->prepared.next_name();
    while (at_.client_names.contains(name)) name = at_.backend->prepared.next_name();
    return name;
}

void Relay::send_parse(std::string_view name, PreparedStatement const& statement, std::string_view types) {
    wire::Parse{name, statement.text, types, static_cast<std::uint16_t>(types.size() / 4)}.write(to_server());
}

void Relay::describe_to_learn(std::string_view server_name, PreparedRef const& statement, std::string_view name, Learns learns) {
    wire::Describe{'S', server_name}.write(to_server());
    auto entry = ours(Expect::describe);
    entry.learns = learns;
    entry.prepared = statement;
    entry.name = name;
    pending().push(std::move(entry));
}

// Null where they are the same, or where they are not to be changed: in an aborted transaction nothing can be set, and nothing but its
// end parsed; where the session's settings are not known for certain, they could not be set back.
SettingsRef Relay::settings_that_differ(PreparedStatement const& statement) {
    auto const present = state_.settings_for_parser(value_of(at_.backend->reported, "DateStyle"));
    bool const is_known = (state_.pins() & (sql::Pin::unproven | sql::Pin::too_long)).empty();
    return present != statement.settings && is_known && at_.backend->transaction != 'E' ? present : nullptr;
}

void Relay::set_between(SettingsRef const& from, SettingsRef const& to) {
    for (auto const& text : local_statements_between(*from, *to)) send_our_statement(text);
}

// As it was parsed for its client: by the settings of that moment and with the types the client was told. Its description is
// compared with that of then before anything runs.
void Relay::parse_anew(std::string_view server_name, PreparedRef const& statement, Expected entry) {
    auto const differing = settings_that_differ(*statement);
    if (differing) set_between(differing, statement->settings);
    auto const name = entry.name;
    send_parse(server_name, *statement, statement->types_to_parse());
    pending().push(std::move(entry));
    if (statement->description) describe_to_learn(server_name, statement, name, Learns::compare);
    if (differing && is_planned_once(*statement)) plan(server_name);
    if (differing) set_between(statement->settings, differing);
}

// One that is there, and was used elsewhere only.
void Relay::plan_by_its_settings(PreparedOnBackend::Entry const& present) {
    auto const& statement = *present.statement;
    if (!is_planned_once(statement)) return;
    auto const differing = settings_that_differ(statement);
    if (!differing) return;
    set_between(differing, statement.settings);
    plan(present.server_name);
    set_between(statement.settings, differing);
}

void Relay::plan(std::string_view server_name) {
    auto const portal = fresh_name();
    wire::Bind{portal, server_name, wire::no_values}.write(to_server());
    wire::Close{'P', portal}.write(to_server());
    pending().push(ours(Expect::bind));
    pending().push(ours(Expect::close));
}

void Relay::add_to_backend(PreparedRef const& statement, std::string server_name, Expected& parse) {
    auto& prepared = at_.backend->prepared;
    // One that is there already, where it was not certain that the server would take a new one.
    if (auto const* const present = prepared.use(statement)) close_on_server(*present);
    make_room_for_statement();
    prepared.add({statement, server_name});
    parse.undo = [this, server_name = std::move(server_name), before = std::move(parse.undo)] {
        at_.backend->prepared.remove_name(server_name);
        if (before) before();
    };
}

// The statement under a name of the endpoint's.
Relay::Took Relay::bring_statement(PreparedRef const& statement) {
    auto& prepared = at_.backend->prepared;
    auto* present = prepared.use(statement);
    if (present == nullptr) {
        auto entry = ours(Expect::parse);
        auto const name = fresh_name();
        add_to_backend(statement, name, entry);
        parse_anew(name, statement, std::move(entry));
        present = prepared.use(statement);
    } else if (!present->is_planned && !present->differs) {
        plan_by_its_settings(*present);
    }
    present->is_planned = true;
    return when_compared(present->differs, statement);
}

Relay::Took Relay::bring_unnamed(PreparedRef const& statement) {
    auto& backend = *at_.backend;
    if (backend.unnamed != statement && statement->has_text) {
        backend.unnamed = statement;
        at_.other_unnamed.reset();
        auto entry = ours(Expect::parse);
        entry.is_of_unnamed = true;
        parse_anew("", statement, std::move(entry));
    } else if (backend.unnamed != statement) {
        close_unnamed();
    }
    return when_compared(at_.other_unnamed == statement, statement);
}

// The statement under the client's own name.
void Relay::bring_client_name(std::string const& name, PreparedRef const& statement) {
    if (at_.client_names.contains(name)) return;
    at_.client_names[name] = {statement};
    auto entry = ours(Expect::parse);
    entry.name = name;
    entry.undo = [this, name] { at_.client_names.erase(name); };
    parse_anew(name, statement, std::move(entry));
}

Relay::Took Relay::when_compared(bool differs, PreparedRef const& statement) {
    if (differs) return refuse_other_description(statement);
    if (!pending().is_comparing()) return Took::yes;
    request_answers();
    return Took::await_server;
}

// The client would read rows by a description that no longer holds: it gets the error that a server gives then. A replica may only be
// behind, or ahead of, what the client was told.
Relay::Took Relay::refuse_other_description(PreparedRef const& statement) {
    if (can_ask_elsewhere()) return Took::elsewhere;
    if (at_.is_on_replica && is_busy()) return settle();
    // A server says what the parameters are before it finds that the columns are others.
    ByteBuffer parameters;
    auto const next = wire::read_header(input());
    if (next && next->type == 'D') wire::write_parameter_description(parameters, statement->description->parameters);
    fail_on_server(Expect::parse, changed_result_type(), parameters.view());
    return Took::yes;
}

Relay::Took Relay::bring_for(std::string_view name, PreparedRef const& statement) {
    if (name.empty()) return bring_unnamed(statement);
    if (!at_.has_client_names) return bring_statement(statement);
    std::string const known_as(name);
    bring_client_name(known_as, statement);
    return when_compared(at_.client_names[known_as].differs, statement);
}

std::string_view Relay::server_name_of(std::string_view name, PreparedRef const& statement) {
    if (name.empty() || at_.has_client_names) return name;
    if (statement) return at_.backend->prepared.use(statement)->server_name;
    // The server does not know it either, and says so.
    return is_reserved_name(name) ? unused_name : name;
}

void Relay::make_room_for_statement() {
    auto& prepared = at_.backend->prepared;
    while (prepared.size() > 0 && (prepared.size() >= settings_->prepared_statements || prepared.bytes() > most_bytes_on_backend)) {
        close_on_server(prepared.oldest());
    }
}

// By value: what the backend has is changed here.
void Relay::close_on_server(PreparedOnBackend::Entry present) {
    wire::Close{'S', present.server_name}.write(to_server());
    at_.backend->prepared.remove_name(present.server_name);
    auto entry = ours(Expect::close);
    entry.undo = [this, present = std::move(present)] { at_.backend->prepared.add(present); };
    pending().push(std::move(entry));
}

// Another session's unnamed statement is not this one's.
void Relay::close_unnamed() {
    if (!at_.backend->unnamed) return;
    auto entry = ours(Expect::close);
    entry.undo = [this, before = std::exchange(at_.backend->unnamed, nullptr)] { at_.backend->unnamed = before; };
    wire::Close{'S', ""}.write(to_server());
    pending().push(std::move(entry));
}

bool Relay::may_reach_names() const {
    using enum sql::Pin;
    constexpr auto reaching = unproven | too_long | prepared_statement | statement_names | session_authorization;
    return !(state_.pins() & reaching).empty();
}

// From now on the session's statements are parsed, when they are used, by the client's own names.
void Relay::use_client_names() {
    if (at_.has_client_names) return;
    auto& prepared = at_.backend->prepared;
    at_.has_client_names = true;
    while (prepared.size() > 0) {
        close_on_server(prepared.oldest());
        auto& undo = pending().back().undo;
        undo = [this, before = std::move(undo)] {
            at_.has_client_names = false;
            before();
        };
    }
}

void Relay::bring_all_names() {
    // One that cannot be parsed any more, as its table is gone, is missing there, which must not be the answer to anything else. Within
    // a transaction it would end that.
    bool const stands_alone = at_.backend->transaction == 'I' && !at_.backend->is_in_batch && !pending().owes_ready();
    for (auto const& [name, statement] : state_.statements()) {
        if (statement->own || at_.client_names.contains(name)) continue;
        bring_client_name(name, statement);
        if (stands_alone) send_our_sync();
    }
}

// Code may name them.
void Relay::bring_names_in(std::string_view code) {
    for (auto const& [name, statement] : state_.statements()) {
        if (!statement->own && code.find(name) != code.npos) bring_client_name(name, statement);
    }
}

// For a DEALLOCATE, which looks at nothing but the name: an empty statement, which any server takes.
void Relay::bring_name_to_deallocate(std::string const& name) {
    if (at_.client_names.contains(name)) return;
    at_.client_names[name] = {};
    wire::Parse{name, ""}.write(to_server());
    auto entry = ours(Expect::parse);
    entry.undo = [this, name] { at_.client_names.erase(name); };
    pending().push(std::move(entry));
}

// In an aborted block nothing is parsed but its end.
bool Relay::may_parse() const { return at_.backend->transaction != 'E' || at_.has_left_block; }

bool Relay::reaches_names(sql::Analysis const* analysis) const {
    if (analysis == nullptr) return false;
    return std::ranges::any_of(analysis->statements, [&](sql::Effects const& effects) {
        return effects.pins.contains(sql::Pin::statement_names) || (effects.names_statement && state_.find(effects.name));
    });
}

// Before a text that leaves an aborted block and then names statements, as ROLLBACK; EXECUTE s1: no message can come between the two.
// So the block is left, the statements are parsed, and it is made to be aborted again.
bool Relay::must_reopen_block(sql::Analysis const& analysis) const {
    using enum sql::Verb;
    auto const verb = analysis.statements.front().verb;
    bool const leaves = verb == commit || verb == rollback || verb == rollback_to;
    return analysis.statements.size() > 1 && leaves && !may_parse() && !at_.has_reopened_block;
}

void Relay::reopen_block(std::shared_ptr<sql::Analysis const> analysis) {
    auto const& effects = analysis->statements.front();
    auto const text = effects.verb == sql::Verb::rollback_to ? "ROLLBACK TO " + quoted_identifier(effects.name) : "ROLLBACK AND CHAIN";
    send_our_unnamed(text);
    wire::Bind{"", "", wire::no_values}.write(to_server());
    wire::Execute{""}.write(to_server());
    pending().push(ours(Expect::bind));
    auto entry = ours(Expect::execute);
    entry.analysis = std::move(analysis);
    pending().push(std::move(entry));
    send_our_sync();
    at_.has_reopened_block = true;
}

void Relay::abort_block_again() {
    at_.has_reopened_block = false;
    if (!may_parse()) return;
    send_our_sync();
    send_our_unnamed("pgtandem aborts this block again");
    send_our_sync();
}

// In place of the client's, which the query that follows ends.
void Relay::send_our_unnamed(std::string_view text) {
    wire::Parse{"", text}.write(to_server());
    at_.backend->unnamed = unknown_statement();
    auto entry = ours(Expect::parse);
    entry.is_of_unnamed = true;
    pending().push(std::move(entry));
}

void Relay::send_our_sync() {
    wire::write_sync(to_server());
    pending().push(ours(Expect::sync));
}

// Statements that SQL names: EXECUTE, DEALLOCATE, PREPARE, and what looks at all of them.
void Relay::bring_named(sql::Analysis const* analysis, std::string_view text, bool is_executed) {
    if (analysis == nullptr) return;
    bool const may_parse = this->may_parse();
    bool const is_single = analysis->statements.size() == 1;
    // Each name once, however many of the text's statements look at all of them.
    bool const looks_at_all = std::ranges::any_of(analysis->statements, [](auto const& effects) { return effects.pins.contains(sql::Pin::statement_names); });
    if (looks_at_all) {
        state_.pin(sql::Pin::statement_names, text);
        use_client_names();
        if (may_parse) bring_all_names();
    }
    bool const runs_code = std::ranges::any_of(analysis->statements, [](auto const& effects) { return effects.verb == sql::Verb::do_; });
    if (runs_code && at_.has_client_names && may_parse) bring_names_in(text);
    for (auto const& effects : analysis->statements) {
        if (!effects.names_statement) continue;
        auto const statement = state_.find(effects.name);
        // By a name as the endpoint gives them, one of the endpoint's own may be there.
        if (effects.verb == sql::Verb::deallocate && is_single && !is_reserved_name(effects.name)) {
            if (statement && is_executed && may_parse) bring_name_to_deallocate(effects.name);
            continue;
        }
        bool const reaches = statement || is_reserved_name(effects.name) || effects.verb == sql::Verb::prepare;
        if (!reaches) continue;
        state_.pin(sql::Pin::prepared_statement, text);
        use_client_names();
        if (statement && !statement->own && may_parse) bring_client_name(effects.name, statement);
    }
}

}  // namespace pgtandem::proxy
