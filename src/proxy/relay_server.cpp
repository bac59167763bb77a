// The backend's messages, taken one by one; in runs where nothing is changed.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"

namespace pgtandem::proxy {

namespace {

bool is_row(char type) { return type == 'D' || type == 'd'; }

}  // namespace

Relay::Outcome Relay::run() {
    if (is_raw_ && backend_ != nullptr) return run_raw();
    for (;;) {
        if (backend_ != nullptr) {
            auto const outcome = run_server();
            if (outcome != Outcome::waiting) return outcome;
        }
        bool const had_backend = backend_ != nullptr;
        auto const outcome = run_client();
        if (backend_ != nullptr) backend_->stream().flush();
        // A message may have got itself a backend whose answers are there only later; nothing else changes here.
        if (outcome != Outcome::waiting || had_backend || backend_ == nullptr) return outcome;
        if (backend_->stream().input().empty()) return outcome;
    }
}

Relay::Outcome Relay::run_server() {
    auto& stream = backend_->stream();
    auto const input = stream.input();
    std::size_t taken = 0;   // of the input
    std::size_t copied = 0;  // to the client, or left out
    auto const copy = [&] {
        if (!drops_) output().append(input.substr(copied, taken - copied));
        copied = taken;
    };
    bool is_idle = false;
    while (client_.unsent() + (taken - copied) <= io::output_high && !is_idle) {
        auto const rest = input.substr(taken);
        if (server_passing_ > 0) {
            auto const count = std::min(server_passing_, rest.size());
            if (count == 0) break;
            taken += count;
            server_passing_ -= count;
            continue;
        }
        auto const header = wire::read_header(rest);
        if (!header) break;
        if (header->body == wire::bad_length) return broken("server sent a message of an impossible length");
        if (is_row(header->type) && !is_ours()) {
            if (holds_) {
                copy();
                pass_held();
            }
            server_passing_ = header->total();
            continue;
        }
        if (rest.size() < header->total()) {
            stream.want_input(header->total());
            break;
        }
        if (holds_ && !is_ours()) {
            copy();
            before_passing(header->type, rest.substr(wire::header_size, header->body));
        }
        bool const passes = take_server_message(header->type, rest.substr(wire::header_size, header->body));
        if (is_out_of_step_) return out_of_step();
        if (!passes) copy();
        taken += header->total();
        if (!passes) copied = taken;
        if (!passes && header->type == 'Z' && !is_ours()) tell_parameters();
        if (passes && header->type == 'Z' && is_on_replica_ && !drops_) {
            copy();
            forget_batch();
        }
        if (backend_->expected.empty()) {
            is_idle = header->type == 'Z' && backend_->transaction == 'I';
        } else if (backend_->expected.front().what >= Expect::copy_end) {
            copy();
            answer_local();
            is_idle = backend_->expected.empty() && header->type == 'Z' && backend_->transaction == 'I';
        }
    }
    copy();
    stream.consume(taken);
    if (drops_ && (backend_->expected.empty() || !backend_->is_open())) return Outcome::elsewhere;
    client_.flush();
    if (is_idle && !must_bring_settings()) return Outcome::idle;
    bool const is_all = stream.input().empty() || !wire::read_header(stream.input()) || stream.input().size() < wire::read_header(stream.input())->total();
    if (!backend_->is_open() && is_all) return can_ask_elsewhere() ? Outcome::elsewhere : Outcome::broken;
    return Outcome::waiting;
}

// Where a replica cannot have what the session had before, the primary can.
Relay::Outcome Relay::out_of_step() {
    if (!can_ask_elsewhere()) return broken("server answered what was not asked");
    is_out_of_step_ = false;
    backend_->is_tainted = true;
    error_ = {};
    return Outcome::elsewhere;
}

// A pinned session's backend is where RESET ALL left it; the session still has what it began with.
bool Relay::must_bring_settings() {
    if (!state_.is_pinned() || backend_->settings == state_.settings()) return false;
    bring_settings();
    return !backend_->expected.empty();
}

// True if the client is to see the message.
bool Relay::take_server_message(char type, std::string_view body) {
    bool const ours = is_ours();
    switch (type) {
        case '1': return pop_if(Expect::parse);
        case '2': return pop_if(Expect::bind);
        case '3': return pop_if(Expect::close);
        case 'n': return pop_if(Expect::describe);
        case 's': return pop_if(Expect::execute);
        case 'T':
            if (!backend_->expected.empty() && backend_->expected.front().what == Expect::describe) return pop_if(Expect::describe);
            return !ours;
        case 'I':
            if (!backend_->expected.empty() && backend_->expected.front().what == Expect::execute) return pop_if(Expect::execute);
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
        default: return !ours;
    }
}

bool Relay::pop_if(Expect what) {
    if (backend_->expected.empty() || backend_->expected.front().what != what) {
        is_out_of_step_ = true;
        return false;
    }
    bool const passes = !is_ours();
    backend_->expected.pop();
    return passes;
}

bool Relay::complete(std::string_view body) {
    auto const completion = wire::CommandComplete::parse(body);
    is_in_copy_in_ = client_copies_ = false;
    if (!completion || backend_->expected.empty()) return true;
    auto& front = backend_->expected.front();
    bool const ours = front.is_ours;
    if (front.analysis && front.statement < front.analysis->statements.size()) {
        auto const& effects = front.analysis->statements[front.statement];
        state_.completed(effects, completion->tag);
        bool const resets = effects.verb == sql::Verb::discard_all || (!effects.settings.empty() && effects.settings.front().kind == sql::SettingChange::Kind::reset_all);
        if (resets) host_.reset_own_settings();
        if (effects.verb == sql::Verb::deallocate_all || effects.verb == sql::Verb::discard_all) backend_->prepared.clear();
    }
    ++front.statement;
    if (front.what == Expect::execute) backend_->expected.pop();
    return !ours;
}

bool Relay::fail(std::string_view body) {
    state_.failed();
    if (is_in_copy_in_) {
        // How many of the client's Syncs the server has overlooked is not known: it answers what it answers, to this client.
        backend_->is_tainted = true;
        is_in_copy_in_ = client_copies_ = false;
    }
    auto& expected = backend_->expected;
    if (expected.empty()) return true;  // the server's last word
    auto const what = expected.front().what;
    if (what != Expect::answer && !expected.front().local.empty()) {
        output().append(expected.front().local);
        if (what == Expect::parse) drop_until_sync();
        return false;
    }
    if (what == Expect::query || what == Expect::function_call) {
        if (!expected.front().is_ours) return true;
        // What the session had before it can no longer have: better no session than another one.
        error_ = wire::ErrorFields::parse(body);
        is_out_of_step_ = true;
        return false;
    }
    if (what == Expect::bind && expected.front().prepared) note_outdated(*expected.front().prepared, body);
    bool passes = true;
    if (what == Expect::sync) passes = !expected.front().is_ours;
    // An error in a statement that was prepared anew is the answer to what the client asked of it; but not where a Sync of
    // ours ends it before a query.
    for (std::size_t index = 0; index < expected.size(); ++index) {
        if (expected[index].what != Expect::sync) continue;
        passes = !expected[index].is_ours;
        break;
    }
    drop_until_sync();
    return passes;
}

// "cached plan must not change result type": told from other errors of its kind by where the server raises it.
void Relay::note_outdated(PreparedStatement const& statement, std::string_view error) {
    auto const fields = wire::ErrorFields::parse(error);
    if (fields.sqlstate == "0A000" && fields.routine == "RevalidateCachedQuery") statement.is_outdated = true;
}

void Relay::drop_until_sync() {
    auto& expected = backend_->expected;
    while (!expected.empty() && expected.front().what != Expect::sync) {
        undo(expected.front());
        expected.pop();
    }
    ignores_until_sync_ = expected.empty();
}

// A message that the server will overlook has changed nothing.
void Relay::undo(Expected& entry) {
    if (entry.what == Expect::parse && entry.prepared) {
        backend_->prepared.remove(entry.prepared->id);
        if (backend_->unnamed == entry.prepared) backend_->unnamed.reset();
    }
    if (entry.what == Expect::close && entry.is_ours && entry.prepared) backend_->prepared.add(entry.prepared);
    if (entry.what == Expect::parse && entry.is_ours && !entry.name.empty()) has_names_ = false;
    if (!entry.changes_names) return;
    // A Parse takes its name back, a Close gives it back.
    state_.set(entry.name, entry.what == Expect::parse ? nullptr : entry.prepared);
}

bool Relay::ready(char status) {
    if (backend_->expected.empty()) {
        if (backend_->is_tainted) {
            backend_->transaction = status;
            return true;
        }
        is_out_of_step_ = true;
        return false;
    }
    auto const what = backend_->expected.front().what;
    if (what != Expect::query && what != Expect::sync && what != Expect::function_call) {
        is_out_of_step_ = true;
        return false;
    }
    bool const ours = is_ours();
    backend_->expected.pop();
    backend_->transaction = status;
    if (ours) {
        if (std::exchange(owes_ready_, false)) say_ready();
        return false;
    }
    if (status == 'I') {
        auto const ended = state_.transaction_ended(value_of(backend_->reported, "DateStyle"));
        backend_->settings = ended.on_backend;
        ++host_.stats().transactions;
        if (!is_on_replica_) host_.ended_on_primary(std::exchange(may_have_written_, false), was_placed_);
        block_begin_.clear();
        if (ended.catalog_changed) host_.catalog_changed();
    }
    auto const lacking = state_.lacking_statements();
    if (lacking.empty()) return true;
    // Where the client has sent more already, its turn is before ours.
    if (!backend_->expected.empty() || status == 'E') {
        say_ready();
        return false;
    }
    send_our_query(lacking);
    state_.lacks_nothing();
    if (status == 'I') backend_->settings = state_.settings();
    owes_ready_ = true;
    return false;
}

// ReadyForQuery, and before it what has changed of the settings as the client sees them.
void Relay::say_ready() {
    tell_parameters();
    wire::ReadyForQuery{backend_->transaction}.write(output());
}

// Syncs that were sent before the server began to read COPY data are overlooked by it.
void Relay::begin_copy_in() {
    is_in_copy_in_ = true;
    client_copies_ = true;
    auto& expected = backend_->expected;
    if (!expected.empty() && expected.front().what == Expect::execute) backend_->is_in_batch = true;
    for (std::size_t index = 1; index < expected.size(); ++index) client_copies_ &= expected[index].what != Expect::copy_end;
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
    backend_->reported = registry_.with(backend_->reported, status->name, status->value);
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
    auto& server = backend_->stream();
    move(client_, server);
    move(server, client_);
    if (client_.input().empty() && (client_.at_end() || client_.health() == io::Health::broken)) return Outcome::leave;
    if (server.input().empty() && !backend_->is_open()) return Outcome::broken;
    return Outcome::waiting;
}

Relay::Outcome Relay::broken(std::string why) {
    if (error_.message.empty()) error_ = make_error("FATAL", "08P01", std::move(why));
    backend_->is_tainted = true;
    return Outcome::broken;
}

}  // namespace pgtandem::proxy
