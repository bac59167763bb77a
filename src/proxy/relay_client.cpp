// The client's messages, taken one by one.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// Messages of a client that the server has not answered.
constexpr std::size_t most_pending = 4096;
constexpr std::size_t seen_before_passing = 32 << 10;

// The large-object functions that libpq calls by FunctionCall (src/include/catalog/pg_proc.dat); they leave nothing behind
// when their transaction ends.
constexpr std::uint32_t large_object_functions[] = {715, 764, 765, 767, 952, 953, 954, 955, 956, 957, 958, 964, 1004, 3170, 3171, 3172};

// It ends the connection as soon as its type or its length is read; which words are said first is the server's business.
bool has_no_place_in_copy(std::string_view input, std::optional<wire::Header> const& header) {
    if (input.empty()) return false;
    bool const is_of_copy = std::string_view("dcfHS").find(input.front()) != std::string_view::npos;
    return !is_of_copy || (header && header->body > wire::frontend_body_max(header->type, true));
}

Expect answer_to(char type) {
    switch (type) {
        case 'P': return Expect::parse;
        case 'D': return Expect::describe;
        case 'C':
        case 'H': return Expect::close;  // the answer is an error, up to Sync
        case 'E': return Expect::execute;
        case 'F': return Expect::function_call;
        case 'S': return Expect::sync;
        default: return Expect::query;
    }
}

}  // namespace

Relay::Outcome Relay::run_client() {
    for (;;) {
        if (at_.backend != nullptr && at_.backend->stream().unsent() > io::output_high) return Outcome::waiting;
        // A client that does not read what it asked for is not listened to.
        if (client_.unsent() > io::output_high) return Outcome::waiting;
        if (at_.backend != nullptr && pending().size() > most_pending) {
            request_answers();
            return Outcome::waiting;
        }
        auto const input = this->input();
        if (client_passing_ > wire::length_max && at_.backend == nullptr) return Outcome::leave;
        if (client_passing_ > 0) {
            auto const count = std::min(client_passing_, input.size());
            if (count == 0) break;
            client_passing_ -= count;
            if (!passing_is_dropped_ && at_.backend != nullptr) {
                forward(input.substr(0, count));
                at_.backend->is_in_message = client_passing_ > 0;
            }
            consume(count);
            continue;
        }
        auto const header = wire::read_header(input);
        if (at_.client_copies && has_no_place_in_copy(input, header)) {
            at_.backend->is_tainted = true;
            at_.client_copies = false;
            pass_rest(SIZE_MAX);
            continue;
        }
        if (!header) break;
        bool const is_at_batch = at_.batch_left == 0 && !is_refusing_ && !ignores_until_sync_ && !at_.client_copies;
        auto const placed = is_at_batch ? place_batch(*header) : Took::yes;
        switch (placed == Took::yes ? take_client_message(*header, input) : placed) {
            case Took::yes: continue;
            case Took::wait: return client_has_ended();
            case Took::await_server: return client_.health() == io::Health::broken ? Outcome::leave : Outcome::waiting;
            case Took::give_back: return Outcome::idle;
            case Took::need_backend: return Outcome::need_backend;
            case Took::need_facts: return Outcome::need_facts;
            case Took::await_reading: return Outcome::waiting;
            case Took::elsewhere: return Outcome::elsewhere;
            case Took::leave: return Outcome::leave;
            case Took::malformed:  // dealt with where it was found
            case Took::misbehaved: return Outcome::misbehaved;
        }
    }
    return client_has_ended();
}

// What a client asked for before it ended its side is still done, and answered, as by the server.
Relay::Outcome Relay::client_has_ended() {
    if (client_.health() == io::Health::broken) return Outcome::leave;
    // Without a Sync the server owes nothing, and undoes what it was sent when the connection ends.
    bool const is_served = at_.backend != nullptr && pending().owes_ready() && !at_.client_copies && client_passing_ == 0;
    if (!client_.at_end() || is_served) return Outcome::waiting;
    if (!is_busy()) return Outcome::leave;
    // The server does what it would do then, and says what it has to say.
    if (!std::exchange(at_.is_input_ended, true)) {
        at_.backend->is_tainted = true;
        at_.backend->stream().end_output();
    }
    return Outcome::waiting;
}

Relay::Took Relay::take_client_message(wire::Header header, std::string_view input) {
    bool const is_copy_data = header.type == 'd';
    auto const most = wire::frontend_body_max(header.type, true);
    // What came before it is answered first.
    if ((most == 0 || header.body > most) && is_busy()) return settle();
    if (most == 0) return misbehave("08P01", "invalid frontend message type " + std::to_string(static_cast<unsigned char>(header.type)));
    // The server closes such a connection without a word.
    if (header.body > most) return Took::leave;
    if (header.type == 'X') return at_.backend != nullptr && pending().owes_ready() ? Took::wait : Took::leave;
    // What an error has made void until Sync is void here as it is there.
    bool const is_void = ignores_until_sync_ && header.type != 'S';
    if (is_refusing_) return take_refused(header);
    if (is_void || (is_copy_data && at_.backend == nullptr)) {
        drop_message(header);
        return Took::yes;
    }
    if (is_copy_data) {
        pass_through(header, input);
        return Took::yes;
    }
    auto const sent = at_.backend != nullptr ? to_server().size() : 0;
    auto const took = take_by_size(header, input);
    if (took == Took::yes) note_batch(header.type, sent);
    // What the endpoint has sent for it so far belongs to the batch too.
    if (took == Took::await_server) note_batch('P', sent);
    return took;
}

// Some messages are passed on as they come, all others are looked at whole.
Relay::Took Relay::take_by_size(wire::Header header, std::string_view input) {
    bool const is_statement = header.type == 'Q' || header.type == 'P';
    if (header.type == 'B') return take_bind(header, input);
    if (header.type == 'F') return take_function_call(header, input);
    if (is_statement && header.body > settings_->analysed_bytes) return take_long_statement(header, input);
    if (input.size() < header.total()) {
        client_.want_input(header.total());
        return Took::wait;
    }
    auto const took = take_whole(header, input.substr(0, header.total()));
    if (took == Took::malformed) return leave_it_to_the_server(answer_to(header.type), header, input);
    if (took == Took::yes) consume(header.total());
    return took;
}

// A transaction that no ReadyForQuery tells of begins with the first extended message, and ends with Sync or a query. 'sent': what
// there was to send before the message.
void Relay::note_batch(char type, std::size_t sent) {
    // What the endpoint answers itself changes nothing there.
    if (at_.backend == nullptr || at_.backend->stream().output().size() == sent) return;
    bool const begins = type == 'P' || type == 'B' || type == 'D' || type == 'E' || type == 'C';
    // During COPY FROM STDIN a server overlooks Sync.
    bool const ends = type == 'Q' || type == 'F' || (type == 'S' && !at_.client_copies);
    if (begins || ends) at_.backend->is_in_batch = begins;
}

Relay::Took Relay::take_whole(wire::Header header, std::string_view message) {
    auto const body = message.substr(wire::header_size);
    switch (header.type) {
        case 'Q': return take_query(message, body);
        case 'P': return take_parse(message, body);
        case 'D': return take_describe(message, body);
        case 'C': return take_close(message, body);
        case 'E': return take_execute(message, body);
        case 'S': return take_sync(message, body);
        case 'H': return take_flush(message, body);
        case 'c':
        case 'f': return take_copy_end(message);
        default: return misbehave("08P01", "invalid frontend message type " + std::to_string(static_cast<unsigned char>(header.type)));
    }
}

// A statement that is too long to be looked at. Of its text nothing is kept.
Relay::Took Relay::take_long_statement(wire::Header header, std::string_view input) {
    // A client that has said hardly more than how much is to come gets no backend yet.
    if (input.size() < std::min(header.total(), seen_before_passing)) return Took::wait;
    if (!is_settled()) return settle();
    if (!has_backend()) return Took::need_backend;
    auto const body = input.substr(wire::header_size);
    check_before(nullptr, body);
    // Where nothing pins, the statement's name and effects are not to stay for another client.
    if (!state_.is_pinned()) at_.backend->is_retired = true;
    if (header.type == 'Q') {
        push_statement(Expect::query, nullptr);
        state_.drop_unnamed();
        at_.backend->unnamed.reset();
    } else {
        parse_long(std::string(body.substr(0, body.find('\0'))));
    }
    pass_through(header, input);
    return Took::yes;
}

void Relay::parse_long(std::string const& name) {
    PreparedStatement untold;
    untold.has_text = false;
    auto const statement = std::make_shared<PreparedStatement const>(std::move(untold));
    Expected entry{Expect::parse};
    if (name.empty()) {
        entry.is_of_unnamed = true;
        entry.before = state_.find("");
        state_.set("", statement);
        at_.backend->unnamed = statement;
    } else if (auto const present = state_.find(name)) {
        // The server is to say that the name is taken.
        bring_client_name(name, present);
    } else if (!at_.client_names.contains(name)) {
        at_.client_names[name] = {statement};
        entry.undo = [this, name] { at_.client_names.erase(name); };
    }
    pending().push(std::move(entry));
}

// A message that breaks its own layout: the server refuses it in its own words. Should it find sense in it, nobody else is to
// be touched by what it then does.
Relay::Took Relay::leave_it_to_the_server(Expect what, wire::Header header, std::string_view input) {
    // Where a COPY begins meanwhile, what the endpoint sends before the message has no place there.
    if (!is_settled()) return settle();
    if (!has_backend()) return Took::need_backend;
    state_.pin(sql::Pin::unproven, "a malformed message");
    if (!state_.is_pinned()) at_.backend->is_retired = true;
    // Of a Sync the server only refuses the shape; before that it overlooks everything.
    if (what == Expect::sync) ignores_until_sync_ = false;
    else use_client_names();
    note_write(sql::Touched::all());
    pending().push({what});
    pass_through(header, input);
    at_.backend->is_in_batch = !pending().back().ends_in_ready();
    return Took::yes;
}

// What depends on names and settings waits until the messages before it have been answered that may change them.
Relay::Took Relay::settle() {
    request_answers();
    return Took::await_server;
}

// A server keeps its answers to itself until a Sync, a Flush, or a query.
void Relay::request_answers() {
    auto& expected = pending();
    if (expected.empty() || expected.back().ends_in_ready() || at_.flushed_at == expected.pushed()) return;
    wire::write_flush(to_server());
    at_.flushed_at = expected.pushed();
}

Relay::Took Relay::misbehave(char const* sqlstate, std::string message) {
    error_ = make_error("FATAL", sqlstate, std::move(message));
    return Took::misbehaved;
}

void Relay::pass_through(wire::Header header, std::string_view input) {
    auto const count = std::min(header.total(), input.size());
    forward(input.substr(0, count));
    pass_rest(header.total() - count);
    consume(count);
}

void Relay::pass_rest(std::size_t count) {
    client_passing_ = count;
    passing_is_dropped_ = false;
    at_.backend->is_in_message = count > 0;
}

void Relay::drop_message(wire::Header header) {
    client_passing_ = header.total();
    passing_is_dropped_ = true;
}

Relay::Took Relay::take_sync(std::string_view message, std::string_view body) {
    if (!body.empty()) return Took::malformed;
    ignores_until_sync_ = false;
    if (at_.backend == nullptr) {
        if (deferred_begin_.empty()) state_.portals().end_all();
        wire::ReadyForQuery{transaction_status()}.write(client_.output());
        return Took::yes;
    }
    forward(message);
    if (!at_.client_copies) push_statement(Expect::sync, nullptr);
    return Took::yes;
}

Relay::Took Relay::take_flush(std::string_view message, std::string_view body) {
    if (!body.empty()) return Took::malformed;
    if (at_.backend != nullptr) forward(message);
    return Took::yes;
}

// Its arguments are the server's to judge, and may be long.
Relay::Took Relay::take_function_call(wire::Header header, std::string_view input) {
    constexpr std::size_t function_size = 4;
    if (header.body < function_size) return leave_it_to_the_server(Expect::function_call, header, input);
    if (input.size() < wire::header_size + function_size) return Took::wait;
    if (!is_settled()) return settle();
    if (!has_backend()) return Took::need_backend;
    auto const function = wire::load_uint32(input.data() + wire::header_size);
    bool const is_large_object = std::ranges::find(large_object_functions, function) != std::end(large_object_functions);
    if (!is_large_object) {
        state_.pin(sql::Pin::unproven, "FunctionCall " + std::to_string(function));
        if (!state_.is_pinned()) at_.backend->is_retired = true;
        use_client_names();
    }
    note_write(sql::Touched::all());
    push_statement(Expect::function_call, nullptr);
    pass_through(header, input);
    return Took::yes;
}

Relay::Took Relay::take_copy_end(std::string_view message) {
    if (at_.backend == nullptr) return Took::yes;
    at_.client_copies = false;
    if (!pending().empty()) pending().push({Expect::copy_end});
    forward(message);
    return Took::yes;
}

void Relay::refuse(wire::ErrorFields const& error) {
    error_ = error;
    error_.severity = error_.severity_nonlocal = "ERROR";
    wire::write_error_response(client_.output(), error_);
    is_refusing_ = true;
    block_was_aborted_ = false;
}

// The statement that got an error for an answer is taken to its end: a query itself, an extended query up to its Sync.
Relay::Took Relay::take_refused(wire::Header header) {
    drop_message(header);
    if (header.type != 'Q' && header.type != 'S' && header.type != 'F') return Took::yes;
    is_refusing_ = false;
    wire::ReadyForQuery{'I'}.write(client_.output());
    return Took::yes;
}

}  // namespace pgtandem::proxy
