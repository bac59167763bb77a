// The backend's messages, taken one by one; in runs where nothing is changed.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"

namespace pgtandem::proxy {

namespace {

bool is_row(char type) { return type == 'D' || type == 'd'; }

// Errors that name a prepared statement: it exists already, it does not exist, it wants other parameters.
bool may_name_statement(std::string_view sqlstate) { return sqlstate == "42P05" || sqlstate == "26000" || sqlstate == "08P01"; }

// The endpoint's name of a statement gives way to the client's, whatever the language of the message.
std::string with_name(std::string const& message, std::string const& name) {
    auto const begin = message.find(reserved_prefix);
    if (begin == message.npos) return message;
    auto const end = message.find_first_not_of("0123456789", begin + reserved_prefix.size());
    return message.substr(0, begin) + name + (end == message.npos ? "" : message.substr(end));
}

bool may_commit_within(sql::Verb verb) {
    using enum sql::Verb;
    return verb == call || verb == do_ || verb == vacuum || verb == other;
}

// Also as one of several extended messages.
bool commits_by_itself(sql::Verb verb) {
    using enum sql::Verb;
    return verb == commit || verb == commit_prepared || may_commit_within(verb);
}

// The server has not begun with it: the transaction is aborted, the text cannot be read, or the setting's name is none.
bool is_refused_at_once(std::string_view sqlstate) { return sqlstate == "25P02" || sqlstate == "42601" || sqlstate == "42602"; }

void note_custom_on(Backend& backend, SessionState const& state) {
    if (state.custom_settings() == nullptr) return;
    backend.custom_settings.insert(state.custom_settings()->begin(), state.custom_settings()->end());
}

}  // namespace

Relay::Outcome Relay::run() {
    if (is_raw_ && at_.backend != nullptr) return run_raw();
    for (;;) {
        if (at_.backend != nullptr) {
            auto const outcome = run_server();
            if (outcome != Outcome::waiting) return outcome;
        }
        bool const had_backend = at_.backend != nullptr;
        auto const outcome = run_client();
        if (at_.backend != nullptr) at_.backend->stream().flush();
        // A message may have got itself a backend whose answers are there only later; nothing else changes here.
        if (outcome != Outcome::waiting || had_backend || at_.backend == nullptr) return outcome;
        if (at_.backend->stream().input().empty()) return outcome;
    }
}

Relay::Outcome Relay::run_server() {
    auto& stream = at_.backend->stream();
    auto const input = stream.input();
    std::size_t taken = 0;   // of the input
    std::size_t copied = 0;  // to the client, or left out
    auto const copy = [&] {
        if (!at_.discards_reply) output().append(input.substr(copied, taken - copied));
        copied = taken;
    };
    bool is_idle = false;
    while (client_.unsent() + (taken - copied) <= io::output_high && !is_idle) {
        auto const rest = input.substr(taken);
        if (at_.server_passing > 0) {
            auto const count = std::min(at_.server_passing, rest.size());
            if (count == 0) break;
            taken += count;
            at_.server_passing -= count;
            continue;
        }
        auto const header = wire::read_header(rest);
        if (!header) break;
        if (header->body == wire::bad_length) return broken("server sent a message of an impossible length");
        if (is_row(header->type) && !is_ours()) {
            if (at_.withholds_reply) {
                copy();
                pass_held();
            }
            at_.server_passing = header->total();
            continue;
        }
        if (rest.size() < header->total()) {
            stream.want_input(header->total());
            break;
        }
        if (at_.withholds_reply && (!is_ours() || header->type == 'E')) {
            copy();
            before_passing(header->type, rest.substr(wire::header_size, header->body));
        }
        // What may be answered in other words comes behind what is there.
        if (header->type == 'E' || (header->type == 'Z' && (is_ours() || state_.lacks_first()))) copy();
        bool const passes = take_server_message(header->type, rest.substr(wire::header_size, header->body));
        if (at_.is_out_of_step) return out_of_step();
        if (!passes) copy();
        taken += header->total();
        if (!passes) copied = taken;
        if (!passes && header->type == 'Z' && !is_ours()) tell_parameters();
        if (passes && header->type == 'Z' && at_.is_on_replica && !at_.discards_reply) {
            copy();
            forget_batch();
        }
        if (at_.backend->expected.empty()) {
            is_idle = header->type == 'Z' && at_.backend->transaction == 'I';
        } else if (at_.backend->expected.front().what >= Expect::copy_end) {
            copy();
            answer_local();
            is_idle = at_.backend->expected.empty() && header->type == 'Z' && at_.backend->transaction == 'I';
        }
    }
    copy();
    stream.consume(taken);
    progress_ += taken;
    if (at_.discards_reply && (at_.backend->expected.empty() || !at_.backend->is_open())) return Outcome::elsewhere;
    client_.flush();
    // A COPY had failed before the server read what has no place in it: from there on nobody knows what the client has asked for.
    if (is_idle && client_passing_ > wire::length_max) return Outcome::leave;
    if (is_idle && !must_bring_settings()) return Outcome::idle;
    bool const is_all = stream.input().empty() || !wire::read_header(stream.input()) || stream.input().size() < wire::read_header(stream.input())->total();
    if (!at_.backend->is_open() && is_all) return can_ask_elsewhere() ? Outcome::elsewhere : Outcome::broken;
    return Outcome::waiting;
}

// Where a replica cannot have what the session had before, the primary can.
Relay::Outcome Relay::out_of_step() {
    if (!can_ask_elsewhere()) return broken("server answered what was not asked");
    at_.is_out_of_step = false;
    at_.backend->is_tainted = true;
    error_ = {};
    return Outcome::elsewhere;
}

// A pinned session's backend is where RESET ALL left it; the session still has what it began with.
bool Relay::must_bring_settings() {
    if (!state_.is_pinned() || at_.backend->settings == state_.settings()) return false;
    bring_settings();
    return !at_.backend->expected.empty();
}

// True if the client is to see the message.
bool Relay::take_server_message(char type, std::string_view body) {
    bool const ours = is_ours();
    switch (type) {
        case '1': return pop_if(Expect::parse);
        case 't': return describe_parameters(body);
        case '2': return pop_if(Expect::bind);
        case '3': return pop_if(Expect::close);
        case 'n': return describe_columns({});
        case 's': return pop_if(Expect::execute);
        case 'T':
            if (!at_.backend->expected.empty() && at_.backend->expected.front().what == Expect::describe) return describe_columns(body);
            return !ours;
        case 'I':
            if (!at_.backend->expected.empty() && at_.backend->expected.front().what == Expect::execute) return pop_if(Expect::execute);
            return !ours;
        case 'C': return complete(body);
        case 'E': return fail(body);
        case 'Z': return ready(body.empty() ? '?' : body.front());
        case 'S': return note_parameter(body);
        case 'G': begin_copy_in(); return true;
        case 'W':
            state_.pin(sql::Pin::replication, "START_REPLICATION");
            is_raw_ = true;
            return true;
        case 'A': return true;
        case 'N':
            note_notice();
            return !ours;
        default: return !ours;
    }
}

bool Relay::pop_if(Expect what) {
    if (at_.backend->expected.empty() || at_.backend->expected.front().what != what) {
        at_.is_out_of_step = true;
        return false;
    }
    bool const passes = !is_ours();
    at_.backend->expected.pop();
    return passes;
}

bool Relay::complete(std::string_view body) {
    auto const completion = wire::CommandComplete::parse(body);
    bool const ends_copy_in = std::exchange(at_.is_in_copy_in, false);
    at_.client_copies = false;
    if (!completion || pending().empty()) return true;
    // The next COPY of the same query has an end of its own.
    for (std::size_t index = 1; ends_copy_in && index < pending().size(); ++index) {
        if (pending()[index].what != Expect::copy_end) continue;
        pending().erase(index);
        break;
    }
    auto& front = pending().front();
    bool const ours = front.is_ours;
    bool const is_known = front.analysis && front.statement < front.analysis->statements.size();
    if (is_known) note_completion(front.analysis->statements[front.statement], completion->tag);
    bool const commits = !is_known || front.what == Expect::query || commits_by_itself(front.analysis->statements[front.statement].verb);
    // Within a block nothing is committed yet.
    bool const is_in_block = at_.backend->transaction == 'T' && is_known && !at_.has_left_block;
    if (commits && !is_in_block) acknowledge_early();
    ++front.statement;
    if (front.what == Expect::execute) pending().pop();
    return !ours;
}

// What is committed before its ReadyForQuery: the client may take what comes before that for the acknowledgement.
void Relay::acknowledge_early() {
    if (at_.written && !is_ours()) host_.acknowledge(*at_.written);
}

// A procedure may have committed before it says something.
void Relay::note_notice() {
    if (pending().empty() || !pending().front().analysis) return acknowledge_early();
    auto const& front = pending().front();
    bool const is_known = front.statement < front.analysis->statements.size();
    if (!is_known || may_commit_within(front.analysis->statements[front.statement].verb)) acknowledge_early();
}

void Relay::note_completion(sql::Effects const& effects, std::string_view tag) {
    using enum sql::Verb;
    state_.completed(effects, tag);
    if (!effects.settings.empty()) {
        note_plans();
        note_custom_on(*at_.backend, state_);
    }
    bool const resets = effects.verb == discard_all || (!effects.settings.empty() && effects.settings.front().kind == sql::SettingChange::Kind::reset_all);
    if (resets) host_.reset_own_settings();
    if (effects.verb == commit || effects.verb == rollback || effects.verb == rollback_to) at_.has_left_block = true;
    if (effects.verb == deallocate) at_.client_names.erase(effects.name);
    if (effects.verb == deallocate_all || effects.verb == discard_all) {
        at_.backend->prepared.clear();
        at_.client_names.clear();
    }
    // What may have ended a transaction by itself has perhaps made settings last that an error will not take back.
    if (!may_commit_within(effects.verb) || !state_.has_pending_changes() || at_.backend->transaction != 'I') return;
    state_.pin(sql::Pin::unproven, "a statement that may commit, after SET in the same batch");
    if (!state_.is_pinned()) at_.backend->is_retired = true;
}

bool Relay::fail(std::string_view body) {
    state_.failed();
    if (at_.is_in_copy_in) {
        // How many of the client's Syncs the server has overlooked is not known: it answers what it answers, to this client.
        at_.backend->is_tainted = true;
        at_.is_in_copy_in = at_.client_copies = false;
    }
    if (pending().empty()) return true;  // the server's last word
    auto const& front = pending().front();
    bool const is_own_query = front.is_ours && (front.what == Expect::query || front.what == Expect::function_call);
    if (is_own_query) {
        // What the session had before it can no longer have: better no session than another one.
        error_ = wire::ErrorFields::parse(body);
        at_.is_out_of_step = true;
        return false;
    }
    note_outdated(body);
    bool const may_have_set = front.analysis && front.statement < front.analysis->statements.size() && !front.analysis->statements[front.statement].settings.empty();
    if (may_have_set && !is_refused_at_once(wire::ErrorFields::parse(body).sqlstate)) {
        state_.note_custom(front.analysis->statements[front.statement]);
        note_custom_on(*at_.backend, state_);
    }
    bool const passes = pass_error(front, body);
    bool const is_extended = front.what != Expect::query && front.what != Expect::function_call;
    if (is_extended) drop_until_sync();
    return passes;
}

// True if the client is to see the server's error as it is. An error in a statement that was prepared anew is the answer to what the
// client asked of it.
bool Relay::pass_error(Expected const& of, std::string_view body) {
    if (!of.local.empty()) {
        output().append(of.local);
        return false;
    }
    if (pending().ends_in_our_sync() && wire::ErrorFields::parse(body).severity_nonlocal == "ERROR") return false;
    if (!of.has_our_name) return true;
    auto error = wire::ErrorFields::parse(body);
    if (!may_name_statement(error.sqlstate)) return true;
    error.message = with_name(error.message, of.name);
    wire::write_error_response(output(), error);
    return false;
}

// "cached plan must not change result type": told from other errors of its kind by where the server raises it.
void Relay::note_outdated(std::string_view error) {
    auto const& front = pending().front();
    auto const statement = front.prepared;
    if (!statement || (front.what != Expect::bind && front.what != Expect::describe)) return;
    auto const fields = wire::ErrorFields::parse(error);
    if (fields.sqlstate == "0A000" && fields.routine == "RevalidateCachedQuery") statement->is_outdated = true;
}

void Relay::drop_until_sync() {
    bool const is_ours = pending().front().is_ours;
    bool const overlooks_query = pending().fail_until_sync([this](Expected& entry, bool is_refused) { undo(entry, is_refused); });
    // The client's own query would have been answered: what the endpoint sent before it has failed.
    if (is_ours && overlooks_query) {
        wire::write_sync(to_server());
        at_.backend->is_in_batch = false;
        push_statement(Expect::sync, nullptr);
    }
    ignores_until_sync_ = pending().empty();
    // Whatever else the client has sent, a query too: the server waits for its Sync.
    if (ignores_until_sync_) at_.backend->is_in_batch = true;
}

// A message that the server refuses or overlooks has changed nothing, but that a refused Parse ends the unnamed statement.
void Relay::undo(Expected& entry, bool is_refused) {
    if (entry.undo) std::exchange(entry.undo, nullptr)();
    if (!entry.is_of_unnamed) return;
    at_.backend->unnamed = is_refused ? nullptr : unknown_statement();
    if (!entry.is_ours) state_.set("", is_refused ? nullptr : entry.before);
}

bool Relay::describe_parameters(std::string_view body) {
    if (pending().empty() || pending().front().learns == Learns::nothing) return !is_ours();
    constexpr std::size_t count_size = 2;
    described_parameters_ = body.substr(std::min(body.size(), count_size));
    return !is_ours();
}

// Of a statement without rows the body is empty.
bool Relay::describe_columns(std::string_view body) {
    if (pending().empty() || pending().front().learns == Learns::nothing) return pop_if(Expect::describe);
    auto const columns = body.empty() ? std::optional<std::string>("") : description_of_columns(body);
    if (columns) learn(pending().front(), {std::exchange(described_parameters_, {}), *columns});
    return pop_if(Expect::describe);
}

void Relay::learn(Expected const& entry, StatementDescription description) {
    auto const statement = entry.prepared;
    if (!statement->description) {
        statement->description = std::move(description);
        return;
    }
    if (*statement->description == description) return;
    statement->is_outdated = true;
    auto& backend = *at_.backend;
    if (entry.learns == Learns::compare) {
        if (backend.unnamed == statement && entry.name.empty()) at_.other_unnamed = statement;
        if (auto const found = at_.client_names.find(entry.name); found != at_.client_names.end()) found->second.differs = true;
        if (auto* const there = backend.prepared.use(statement)) there->differs = true;
        return;
    }
    // The client has parsed it just now: it is told what it is now.
    auto const fresh = host_.prepare_again(*statement, std::move(description));
    if (state_.find(entry.name) == statement) state_.set(entry.name, fresh);
    if (backend.unnamed == statement) backend.unnamed = fresh;
    if (auto const there = backend.prepared.remove(statement)) backend.prepared.add({fresh, there->server_name});
}

bool Relay::ready(char status) {
    if (at_.backend->expected.empty()) {
        if (at_.backend->is_tainted) {
            at_.backend->transaction = status;
            return true;
        }
        at_.is_out_of_step = true;
        return false;
    }
    auto const what = at_.backend->expected.front().what;
    if (what != Expect::query && what != Expect::sync && what != Expect::function_call) {
        at_.is_out_of_step = true;
        return false;
    }
    bool const ours = is_ours();
    pending().pop();
    at_.backend->transaction = status;
    at_.has_left_block = false;
    if (ours && what != Expect::sync) {
        if (std::exchange(at_.owes_ready, false)) say_ready();
        return false;
    }
    if (status == 'I') end_transaction();
    if (ours) return false;
    auto const lacking = state_.lacking_statements();
    if (lacking.empty()) return true;
    // Where the client has sent more already, its turn is before ours.
    if (!at_.backend->expected.empty() || status == 'E') {
        say_ready();
        return false;
    }
    send_our_query(lacking);
    state_.lacks_nothing();
    if (status == 'I') at_.backend->settings = state_.settings();
    at_.owes_ready = true;
    return false;
}

void Relay::end_transaction() {
    // What was sent behind it is of the next one.
    bool const is_last = pending().empty();
    if (!is_last) state_.portals().end_before(pending().popped());
    auto const ended = state_.transaction_ended(value_of(at_.backend->reported, "DateStyle"), is_last);
    at_.backend->settings = ended.on_backend;
    ++host_.stats().transactions;
    if (!at_.is_on_replica) host_.ended_on_primary(at_.written ? &*at_.written : nullptr, at_.was_placed);
    if (is_last) at_.written.reset();
    at_.block_begin.clear();
    if (ended.catalog_changed) host_.catalog_changed();
}

// ReadyForQuery, and before it what has changed of the settings as the client sees them.
void Relay::say_ready() {
    tell_parameters();
    wire::ReadyForQuery{at_.backend->transaction}.write(output());
}

// Syncs that were sent before the server began to read COPY data are overlooked by it.
void Relay::begin_copy_in() {
    at_.is_in_copy_in = true;
    at_.client_copies = true;
    auto& expected = at_.backend->expected;
    if (!expected.empty() && expected.front().what == Expect::execute) at_.backend->is_in_batch = true;
    for (std::size_t index = 1; index < expected.size(); ++index) at_.client_copies &= expected[index].what != Expect::copy_end;
    for (std::size_t index = 1; index < expected.size() && expected[index].what != Expect::copy_end;) {
        if (expected[index].what == Expect::sync) {
            expected.erase(index);
        } else {
            ++index;
        }
    }
}

bool Relay::note_parameter(std::string_view body) {
    auto const status = wire::ParameterStatus::parse(body);
    if (!status) return true;
    at_.backend->reported = registry_.with(at_.backend->reported, status->name, status->value);
    // A setting that is about to have its first value again has not changed for the client.
    if (is_ours() || !state_.lacking_statements().empty()) return false;
    seen_ = registry_.with(seen_, status->name, status->value);
    return true;
}

Relay::Outcome Relay::run_raw() {
    auto const move = [](io::Stream& from, io::Stream& to) {
        while (!from.input().empty() && to.unsent() <= io::output_high) {
            auto const input = from.input();
            to.output().append(input);
            from.consume(input.size());
        }
        to.flush();
    };
    auto& server = at_.backend->stream();
    move(client_, server);
    move(server, client_);
    if (client_.input().empty() && (client_.at_end() || client_.health() == io::Health::broken)) return Outcome::leave;
    if (server.input().empty() && !at_.backend->is_open()) return Outcome::broken;
    return Outcome::waiting;
}

Relay::Outcome Relay::broken(std::string why) {
    if (error_.message.empty()) error_ = make_error("FATAL", "08P01", std::move(why));
    at_.backend->is_tainted = true;
    return Outcome::broken;
}

}  // namespace pgtandem::proxy
