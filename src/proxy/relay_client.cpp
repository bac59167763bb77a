// The client's messages, taken one by one.
#include <algorithm>
#include <cassert>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// Of a Bind its two names must be seen, the values may follow as they come.
constexpr std::size_t bind_head_max = 64 << 10;
constexpr std::size_t seen_before_passing = 32 << 10;

// The large-object functions that libpq calls by FunctionCall (src/include/catalog/pg_proc.dat); they leave nothing behind
// when their transaction ends.
constexpr std::uint32_t large_object_functions[] = {715, 764, 765, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172};

// A Bind up to its names; 'rest' bytes of it are to follow.
void write_bind_head(ByteBuffer& out, std::string_view portal, std::string_view statement, std::size_t rest) {
    out.append('B');
    wire::store_uint32(out.grow(4), static_cast<std::uint32_t>(4 + portal.size() + 1 + statement.size() + 1 + rest));
    out.append(portal);
    out.append('\0');
    out.append(statement);
    out.append('\0');
}

Expect answer_to(char type) {
    switch (type) {
        case 'P': return Expect::parse;
        case 'D': return Expect::describe;
        case 'C': return Expect::close;
        case 'E': return Expect::execute;
        case 'F': return Expect::function_call;
        default: return Expect::query;
    }
}

char const* transaction_tag(sql::Verb verb) { return verb == sql::Verb::commit ? "COMMIT" : "ROLLBACK"; }

bool starts_with_start(std::string_view text) {
    auto const word = text.find_first_of("sSbB");
    return word != std::string_view::npos && (text[word] == 's' || text[word] == 'S');
}

}  // namespace

Relay::Outcome Relay::run_client() {
    for (;;) {
        if (backend_ != nullptr && backend_->stream().unsent() > io::output_high) return Outcome::waiting;
        auto const input = this->input();
        if (client_passing_ > 0) {
            auto const count = std::min(client_passing_, input.size());
            if (count == 0) break;
            if (!passing_is_dropped_ && backend_ != nullptr) forward(input.substr(0, count));
            client_passing_ -= count;
            consume(count);
            continue;
        }
        auto const header = wire::read_header(input);
        if (!header) break;
        bool const is_at_batch = batch_left_ == 0 && !is_refusing_ && !ignores_until_sync_ && !client_copies_;
        auto const placed = is_at_batch ? place_batch(header->type) : Took::yes;
        switch (placed == Took::yes ? take_client_message(*header, input) : placed) {
            case Took::yes: continue;
            case Took::wait: return client_has_ended();
            case Took::give_back: return Outcome::idle;
            case Took::need_backend: return Outcome::need_backend;
            case Took::need_facts: return Outcome::need_facts;
            case Took::leave: return Outcome::leave;
            case Took::malformed:  // dealt with where it was found
            case Took::misbehaved: return Outcome::misbehaved;
        }
    }
    return client_has_ended();
}

// What a client asked for before it ended its side is still done, and answered, as by the server.
Relay::Outcome Relay::client_has_ended() const {
    if (client_.health() == io::Health::broken) return Outcome::leave;
    bool const is_served = is_busy() && !client_copies_ && client_passing_ == 0;
    return client_.at_end() && !is_served ? Outcome::leave : Outcome::waiting;
}

Relay::Took Relay::take_client_message(wire::Header header, std::string_view input) {
    bool const is_copy_data = header.type == 'd';
    bool const is_of_copy = is_copy_data || header.type == 'c' || header.type == 'f' || header.type == 'H' || header.type == 'S';
    // What has no place in a COPY ends the connection; which words it says first is the server's business.
    if (client_copies_ && !is_of_copy && header.body != wire::bad_length) {
        assert(backend_ != nullptr);
        backend_->is_tainted = true;
        client_copies_ = false;
        pass_through(header, input);
        return Took::yes;
    }
    auto const most = wire::frontend_body_max(header.type, true);
    if (most == 0) return misbehave("08P01", "invalid frontend message type " + std::to_string(static_cast<unsigned char>(header.type)));
    // The server closes such a connection without a word.
    if (header.body > most) return Took::leave;
    if (header.type == 'X') return is_busy() ? Took::wait : Took::leave;
    // What an error has made void until Sync is void here as it is there.
    bool const is_void = ignores_until_sync_ && header.type != 'S';
    if (is_refusing_) return take_refused(header);
    if (is_void || (is_copy_data && backend_ == nullptr)) {
        passing_is_dropped_ = true;
        client_passing_ = header.total();
        return Took::yes;
    }
    if (is_copy_data) {
        pass_through(header, input);
        return Took::yes;
    }
    auto const sent = backend_ != nullptr ? backend_->stream().output().size() : 0;
    if (header.type == 'B') {
        auto const took = take_bind(header, input);
        if (took == Took::yes) note_batch('B', sent);
        return took;
    }
    bool const is_statement = header.type == 'Q' || header.type == 'P';
    if (is_statement && header.body > settings_->analysed_bytes) {
        // Who has said hardly more than how much is to come gets no backend yet.
        if (input.size() < std::min(header.total(), seen_before_passing)) return Took::wait;
        if (!has_backend()) return Took::need_backend;
        check_before(nullptr, input.substr(wire::header_size));
        backend_->expected.push({header.type == 'Q' ? Expect::query : Expect::parse});
        pass_through(header, input);
        note_batch(header.type, sent);
        return Took::yes;
    }
    if (input.size() < header.total()) {
        client_.want_input(header.total());
        return Took::wait;
    }
    auto const took = take_whole(header, input.substr(0, header.total()));
    if (took == Took::malformed) return leave_it_to_the_server(answer_to(header.type), header, input);
    if (took != Took::yes) return took;
    note_batch(header.type, sent);
    consume(header.total());
    return Took::yes;
}

// A transaction that no ReadyForQuery tells of begins with the first extended message, and ends with Sync or a query. 'sent': what
// there was to send before the message.
void Relay::note_batch(char type, std::size_t sent) {
    // What the endpoint answers itself changes nothing there.
    if (backend_ == nullptr || backend_->stream().output().size() == sent) return;
    bool const begins = type == 'P' || type == 'B' || type == 'D' || type == 'E' || type == 'C';
    // During COPY FROM STDIN a server overlooks Sync.
    bool const ends = type == 'Q' || type == 'F' || (type == 'S' && !client_copies_);
    if (begins || ends) backend_->is_in_batch = begins;
}

Relay::Took Relay::take_whole(wire::Header header, std::string_view message) {
    auto const body = message.substr(wire::header_size);
    switch (header.type) {
        case 'Q': return take_query(message, body);
        case 'P': return take_parse(message, body);
        case 'D': return take_describe(message, body);
        case 'C': return take_close(message, body);
        case 'E': return take_execute(message, body);
        case 'S': return take_sync(message);
        case 'F': return take_function_call(header, message);
        case 'c':
        case 'f': return take_copy_end(message);
        case 'H':
            if (backend_ != nullptr) forward(message);
            return Took::yes;
        default: return misbehave("08P01", "invalid frontend message type " + std::to_string(static_cast<unsigned char>(header.type)));
    }
}

// A message that breaks its own layout: the server refuses it in its own words. Should it find sense in it, nobody else is to
// be touched by what it then does.
Relay::Took Relay::leave_it_to_the_server(Expect what, wire::Header header, std::string_view input) {
    if (!has_backend()) return Took::need_backend;
    state_.pin(sql::Pin::unproven, "a malformed message");
    may_have_written_ = true;
    backend_->expected.push({what});
    pass_through(header, input);
    note_batch(header.type, 0);
    return Took::yes;
}

Relay::Took Relay::misbehave(char const* sqlstate, std::string message) {
    error_ = make_error("FATAL", sqlstate, std::move(message));
    return Took::misbehaved;
}

void Relay::pass_through(wire::Header header, std::string_view input) {
    auto const count = std::min(header.total(), input.size());
    forward(input.substr(0, count));
    client_passing_ = header.total() - count;
    passing_is_dropped_ = false;
    consume(count);
}

// Null: it cannot be looked at, for its length or its encoding.
void Relay::check_before(sql::Analysis const* analysis, std::string_view text) {
    ++host_.stats().queries;
    host_.placed(analysis, text);
    may_have_written_ = may_have_written_ || may_have_written(analysis);
    // What runs on a replica was found to leave nothing behind, or is refused there.
    if (!is_on_replica_) note_state(analysis, text);
    if (state_.custom_settings() == nullptr) return;
    for (auto const& name : *state_.custom_settings()) backend_->custom_settings.insert(name);
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
    if (can_read() && host_.holds(*statement)) return statement->analysis;
    return look_at(statement->text);
}

std::shared_ptr<sql::Analysis const> Relay::look_at(std::string_view text) {
    return can_read() ? host_.analyse(text, strings_conform()) : nullptr;
}

// BEGIN goes with the first statement; a block that never had one ends here.
bool Relay::answer_transaction_command(sql::Effects const& effects, std::string_view text) {
    auto& out = client_.output();
    if (deferred_begin_.empty() && defers_begin_ && effects.is_plain_begin) {
        deferred_begin_ = text;
        begin_reads_ = effects.is_read_only && may_begin_on_replica(text);
        wire::CommandComplete{starts_with_start(text) ? "START TRANSACTION" : "BEGIN"}.write(out);
        wire::ReadyForQuery{'T'}.write(out);
        return true;
    }
    bool const ends = effects.verb == sql::Verb::commit || effects.verb == sql::Verb::rollback;
    if (deferred_begin_.empty() || !ends || effects.has_chain) return false;
    deferred_begin_.clear();
    wire::CommandComplete{transaction_tag(effects.verb)}.write(out);
    wire::ReadyForQuery{'I'}.write(out);
    return true;
}

Relay::Took Relay::take_query(std::string_view message, std::string_view body) {
    auto const query = wire::Query::parse(body);
    if (!query) return Took::malformed;
    if (auto const own = read_own_statement(query->text, strings_conform())) return take_own_query(*own);
    auto const analysis = looked_at_ ? std::exchange(looked_at_, nullptr) : look_at(query->text);
    // Of a session that is pinned for not being understood nothing more is to be found out.
    bool const may_leave_more = !state_.pins().contains(sql::Pin::unproven);
    if (may_leave_more && must_wait_for_facts(analysis.get())) return Took::need_facts;
    bool const is_single = analysis && analysis->statements.size() == 1;
    if (is_single && backend_ == nullptr && answer_transaction_command(analysis->statements.front(), query->text)) return Took::yes;
    if (!has_backend()) return Took::need_backend;
    check_before(analysis.get(), query->text);
    bring_what_it_names(analysis.get(), query->text, true);
    state_.drop_unnamed();
    backend_->unnamed.reset();
    backend_->expected.push({Expect::query, false, false, 0, analysis});
    forward(message);
    return Took::yes;
}

Relay::Took Relay::take_parse(std::string_view message, std::string_view body) {
    auto const parse = wire::Parse::parse(body);
    if (!parse) return Took::malformed;
    if (!host_.facts_hold() && must_wait_for_facts(look_at(parse->text).get())) return Took::need_facts;
    std::string const name(parse->name);
    auto const statement = host_.prepare(parse->text, parse->types, strings_conform());
    if (statement->own && (name.empty() || !state_.find(name))) {
        take_own_parse(name, statement);
        return Took::yes;
    }
    if (!has_backend()) return Took::need_backend;
    Expected entry{Expect::parse, false, true};
    entry.prepared = statement;
    entry.name = name;
    if (name.empty()) {
        state_.set(name, statement);
        backend_->unnamed = statement;
        backend_->expected.push(std::move(entry));
        forward(message);
        return Took::yes;
    }
    if (auto const present = state_.find(name)) {
        // The server itself is to say that the name is taken.
        if (!has_names_) bring_name(name, present);
        backend_->expected.push({Expect::parse});
        forward(message);
        return Took::yes;
    }
    state_.set(name, statement);
    if (has_names_) {
        state_.pin(sql::Pin::statement_names, parse->text);
        entry.prepared = nullptr;
        backend_->expected.push(std::move(entry));
        forward(message);
        return Took::yes;
    }
    if (backend_->prepared.use(statement->id)) {
        push_answer(std::string("1\0\0\0\4", 5), name);
        return Took::yes;
    }
    make_room_for_statement();
    backend_->prepared.add(statement);
    backend_->expected.push(std::move(entry));
    send_parse(statement->server_name(), *statement);
    return Took::yes;
}

// The statement the client calls so. One that DDL has made another is prepared again: a client that meets the server's error is
// to find it mended.
PreparedRef Relay::find_fresh(std::string_view name) {
    auto statement = state_.find(name);
    if (!statement || !statement->is_outdated || has_names_) return statement;
    statement = host_.prepare(statement->text, statement->types, strings_conform());
    state_.set(name, statement);
    return statement;
}

Relay::Took Relay::take_bind(wire::Header header, std::string_view input) {
    auto const wanted = std::min(header.total(), bind_head_max);
    if (input.size() < wanted) {
        client_.want_input(wanted);
        return Took::wait;
    }
    auto const available = input.substr(0, std::min(header.total(), input.size()));
    auto const bind = wire::Bind::parse(available.substr(wire::header_size));
    if (!bind) return leave_it_to_the_server(Expect::bind, header, input);
    if (auto const own = state_.find(bind->statement); own && own->own) return take_own_bind(bind->portal, own, header, input);
    if (!has_backend()) return Took::need_backend;
    auto const statement = find_fresh(bind->statement);
    if (statement) bring_what_it_names(analysis_of(statement).get(), statement->text, false);
    state_.bind(bind->portal, statement);
    if (bind->statement.empty()) {
        if (statement) bring_unnamed(statement);
        else close_unnamed();
    }
    if (bind->statement.empty() || !statement || has_names_) {
        backend_->expected.push({Expect::bind});
        pass_through(header, input);
        return Took::yes;
    }
    bring_statement(statement);
    Expected entry{Expect::bind};
    entry.prepared = statement;
    backend_->expected.push(std::move(entry));
    auto const rest = header.body - bind->portal.size() - bind->statement.size() - 2;
    write_bind_head(backend_->stream().output(), bind->portal, statement->server_name(), rest);
    forward(bind->rest);
    client_passing_ = rest - bind->rest.size();
    passing_is_dropped_ = false;
    consume(available.size());
    return Took::yes;
}

Relay::Took Relay::take_describe(std::string_view message, std::string_view body) {
    auto const describe = wire::Describe::parse(body);
    if (!describe) return Took::malformed;
    auto const own = describe->kind == 'S' ? state_.find(describe->name) : state_.bound(describe->name);
    if (own && own->own) {
        take_own_describe(describe->kind, *own->own);
        return Took::yes;
    }
    if (!has_backend()) return Took::need_backend;
    auto const statement = describe->kind == 'S' ? find_fresh(describe->name) : nullptr;
    if (describe->kind == 'S' && describe->name.empty()) {
        if (statement) bring_unnamed(statement);
        else close_unnamed();
    } else if (statement && !has_names_) {
        bring_statement(statement);
    }
    backend_->expected.push({Expect::describe});
    if (statement && !describe->name.empty() && !has_names_) {
        wire::Describe{'S', statement->server_name()}.write(backend_->stream().output());
    } else {
        forward(message);
    }
    return Took::yes;
}

Relay::Took Relay::take_close(std::string_view message, std::string_view body) {
    auto const close = wire::Close::parse(body);
    if (!close) return Took::malformed;
    auto const statement = close->kind == 'S' ? state_.find(close->name) : nullptr;
    if (statement && !close->name.empty()) {
        std::string const name(close->name);
        state_.set(name, nullptr);
        if (has_names_ && !statement->own) {
            Expected entry{Expect::close, false, true};
            entry.name = name;
            entry.prepared = statement;
            backend_->expected.push(std::move(entry));
            forward(message);
            return Took::yes;
        }
        // The backend keeps it for whoever prepares the same.
        push_answer(std::string("3\0\0\0\4", 5), name, statement);
        return Took::yes;
    }
    if (!has_backend()) return Took::need_backend;
    if (close->kind == 'S' && close->name.empty()) {
        state_.drop_unnamed();
        backend_->unnamed.reset();
    }
    backend_->expected.push({Expect::close});
    forward(message);
    return Took::yes;
}

Relay::Took Relay::take_execute(std::string_view message, std::string_view body) {
    auto const execute = wire::Execute::parse(body);
    if (!execute) return Took::malformed;
    auto const statement = state_.bound(execute->portal);
    if (statement && statement->own) return take_own_execute(*statement->own);
    auto const analysis = statement ? analysis_of(statement) : nullptr;
    if (must_wait_for_facts(analysis.get())) return Took::need_facts;
    if (!has_backend()) return Took::need_backend;
    // A portal that no Bind made is a cursor of SQL: FETCH by another name.
    if (statement) {
        check_before(analysis.get(), statement->text);
    } else {
        may_have_written_ = true;
    }
    backend_->expected.push({Expect::execute, false, false, 0, analysis});
    forward(message);
    return Took::yes;
}

Relay::Took Relay::take_sync(std::string_view message) {
    if (backend_ == nullptr) {
        ignores_until_sync_ = false;
        wire::ReadyForQuery{deferred_begin_.empty() ? 'I' : 'T'}.write(client_.output());
        return Took::yes;
    }
    ignores_until_sync_ = false;
    forward(message);
    if (!client_copies_) backend_->expected.push({Expect::sync});
    return Took::yes;
}

Relay::Took Relay::take_function_call(wire::Header header, std::string_view message) {
    auto const call = wire::FunctionCall::parse(message.substr(wire::header_size, header.body));
    if (!call) return Took::malformed;
    if (!has_backend()) return Took::need_backend;
    bool const is_large_object = std::ranges::find(large_object_functions, call->function) != std::end(large_object_functions);
    if (!is_large_object) state_.pin(sql::Pin::unproven, "FunctionCall " + std::to_string(call->function));
    may_have_written_ = true;
    backend_->expected.push({Expect::function_call});
    forward(message);
    return Took::yes;
}

Relay::Took Relay::take_copy_end(std::string_view message) {
    if (backend_ == nullptr) return Took::yes;
    client_copies_ = false;
    if (!backend_->expected.empty()) backend_->expected.push({Expect::copy_end});
    forward(message);
    return Took::yes;
}

void Relay::refuse(wire::ErrorFields const& error) {
    error_ = error;
    error_.severity = error_.severity_nonlocal = "ERROR";
    wire::write_error_response(client_.output(), error_);
    is_refusing_ = true;
}

// The statement that got an error for an answer is taken to its end: a query itself, an extended query up to its Sync.
Relay::Took Relay::take_refused(wire::Header header) {
    client_passing_ = header.total();
    passing_is_dropped_ = true;
    if (header.type != 'Q' && header.type != 'S' && header.type != 'F') return Took::yes;
    is_refusing_ = false;
    wire::ReadyForQuery{'I'}.write(client_.output());
    return Took::yes;
}

}  // namespace pgtandem::proxy
