// The extended query protocol: Parse, Bind, Describe, Close and Execute, each taken as the client sends it.
#include <algorithm>

#include "proxy/relay.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

// Of a Bind its two names must be seen, the values may follow as they come.
constexpr std::size_t bind_head_max = 64 << 10;
// Of the texts of the statements that one client holds by name.
constexpr std::size_t most_statement_bytes = 64 << 20;

std::string const parse_complete("1\0\0\0\4", 5);
std::string const close_complete("3\0\0\0\4", 5);

// A Bind up to its names; 'rest' bytes of it are to follow.
void write_bind_head(ByteBuffer& out, std::string_view portal, std::string_view statement, std::size_t rest) {
    out.append('B');
    wire::store_uint32(out.grow(4), static_cast<std::uint32_t>(4 + portal.size() + 1 + statement.size() + 1 + rest));
    out.append(portal);
    out.append('\0');
    out.append(statement);
    out.append('\0');
}

}  // namespace

Relay::Took Relay::take_parse(std::string_view message, std::string_view body) {
    auto const parse = wire::Parse::parse(body);
    if (!parse) return Took::malformed;
    if (!is_settled()) return settle();
    if (must_wait_to_read(parse->text)) return Took::await_reading;
    if (!host_.facts_hold() && must_wait_for_facts(look_at(parse->text).get())) return Took::need_facts;
    std::string const name(parse->name);
    auto const present = name.empty() ? nullptr : state_.find(name);
    if (auto const own = read_own_statement(parse->text, strings_conform()); own && !present) {
        PreparedStatement statement;
        statement.text = parse->text;
        statement.own = own;
        return take_own_parse(name, std::make_shared<PreparedStatement const>(std::move(statement)));
    }
    if (!has_backend()) return Took::need_backend;
    if (present) {
        refuse_taken_name(name, *parse);
        return Took::yes;
    }
    // What is parsed in a session whose settings nobody can follow is nobody else's.
    bool const is_shared = !at_.has_client_names && !may_reach_names();
    auto const settings = state_.settings_for_parser(value_of(at_.backend->reported, "DateStyle"));
    auto const statement = host_.prepare(parse->text, parse->types, settings, is_shared, strings_conform());
    if (!statement || (!name.empty() && state_.statement_bytes() + statement->bytes() > most_statement_bytes)) {
        fail_on_server(Expect::parse, make_error("ERROR", "53400", "there are too many prepared statements to keep one more",
                                                 "A client may keep 64 MB of them by name; SHOW MEM in database pgtandem tells what all have.",
                                                 "Close those that are no longer used."));
        return Took::yes;
    }
    // Statements that it names must be there for the server to describe it.
    auto const analysis = analysis_of(statement);
    if (is_busy() && reaches_names(analysis.get())) return settle();
    bring_named(analysis.get(), statement->text, false);
    if (name.empty()) parse_unnamed(message, statement);
    else parse_for_client(name, statement);
    return Took::yes;
}

// The server itself says that the name is taken, or what else is wrong with the statement: it meets a name that is there, that of an
// empty statement.
void Relay::refuse_taken_name(std::string const& name, wire::Parse const& parse) {
    Expected refused{Expect::parse};
    refused.name = name;
    if (at_.has_client_names) {
        bring_client_name(name, state_.find(name));
        wire::Parse{name, parse.text, parse.types, parse.count}.write(to_server());
        pending().push(std::move(refused));
        return;
    }
    auto& prepared = at_.backend->prepared;
    auto const& empty = unknown_statement();
    if (prepared.use(empty) == nullptr) {
        auto const taken = fresh_name();
        Expected entry{Expect::parse};
        entry.is_ours = true;
        add_to_backend(empty, taken, entry);
        wire::Parse{taken, ""}.write(to_server());
        pending().push(std::move(entry));
    }
    refused.has_our_name = true;
    wire::Parse{prepared.use(empty)->server_name, parse.text, parse.types, parse.count}.write(to_server());
    pending().push(std::move(refused));
}

void Relay::parse_unnamed(std::string_view message, PreparedRef const& statement) {
    Expected entry{Expect::parse};
    entry.is_of_unnamed = true;
    entry.prepared = statement;
    entry.before = state_.find("");
    state_.set("", statement);
    at_.backend->unnamed = statement;
    at_.other_unnamed.reset();
    pending().push(std::move(entry));
    forward(message);
}

// Neither a failed transaction nor an answer that is still owed may refuse what the endpoint answers itself.
bool Relay::is_transaction_known() const {
    return at_.backend->transaction != 'E' && !at_.backend->expected.owes_ready();
}

void Relay::parse_for_client(std::string const& name, PreparedRef const& statement) {
    state_.set(name, statement);
    Expected entry{Expect::parse};
    entry.prepared = statement;
    entry.name = name;
    entry.changes_names = true;
    entry.undo = [this, name] { state_.set(name, nullptr); };
    if (at_.has_client_names) {
        at_.client_names[name] = {statement};
        entry.undo = [this, name] {
            state_.set(name, nullptr);
            at_.client_names.erase(name);
        };
        send_parse(name, *statement, statement->types);
        pending().push(std::move(entry));
        return;
    }
    auto const* const present = at_.backend->prepared.use(statement);
    if (present != nullptr && !present->differs && is_transaction_known()) return push_answer(parse_complete, std::move(entry.undo));
    auto const server_name = fresh_name();
    add_to_backend(statement, server_name, entry);
    send_parse(server_name, *statement, statement->types);
    pending().push(std::move(entry));
    describe_to_learn(server_name, statement, name, Learns::first);
}

void Relay::bind_portal(std::string_view portal, PreparedRef const& statement, Expected& entry) {
    // Where the server refuses or overlooks the Bind, the portal runs what it ran before.
    if (auto const before = state_.bound(portal); before && before != statement) {
        entry.undo = [this, before, portal = std::string(portal)] { state_.bind(portal, before); };
    }
    state_.bind(portal, statement, pending().pushed());
}

Relay::Took Relay::take_bind(wire::Header header, std::string_view input) {
    auto const wanted = std::min(header.total(), bind_head_max);
    if (input.size() < wanted) {
        client_.want_input(wanted);
        return Took::wait;
    }
    if (!is_settled()) return settle();
    auto const available = input.substr(0, std::min(header.total(), input.size()));
    auto const bind = wire::Bind::parse(available.substr(wire::header_size));
    if (!bind) return leave_it_to_the_server(Expect::bind, header, input);
    auto const statement = state_.find(bind->statement);
    if (statement && statement->own) return take_own_bind(*bind, statement, header);
    if (is_taken_by_own(bind->portal)) return refuse_taken_portal(bind->portal, header);
    if (must_wait_to_read(statement)) return Took::await_reading;
    // The planner folds functions, so a Bind may run them: it is judged by the settings and the path of now, as Execute is later.
    auto const analysis = statement ? analysis_of(statement) : nullptr;
    if (analysis && must_wait_for_facts(analysis.get())) return Took::need_facts;
    if (!has_backend()) return Took::need_backend;
    if (analysis && !at_.is_on_replica) state_.about_to_plan(*analysis, statement->text, host_.facts_hold());
    if (may_reach_names()) use_client_names();
    if (statement) {
        auto const took = bring_for(bind->statement, statement);
        if (took != Took::yes) return took;
    } else if (bind->statement.empty()) {
        close_unnamed();
    }
    Expected entry{Expect::bind};
    entry.prepared = statement;
    entry.name = bind->statement;
    auto const server_name = server_name_of(bind->statement, statement);
    bind_portal(bind->portal, statement, entry);
    auto const rest = header.body - bind->portal.size() - bind->statement.size() - 2;
    write_bind_head(to_server(), bind->portal, server_name, rest);
    entry.has_our_name = server_name != bind->statement;
    pending().push(std::move(entry));
    forward(bind->rest);
    pass_rest(rest - bind->rest.size());
    consume(available.size());
    return Took::yes;
}

Relay::Took Relay::take_describe(std::string_view message, std::string_view body) {
    auto const describe = wire::Describe::parse(body);
    if (!describe) return Took::malformed;
    if (!is_settled()) return settle();
    bool const is_of_statement = describe->kind == 'S';
    auto const statement = is_of_statement ? state_.find(describe->name) : state_.bound(describe->name);
    if (statement && statement->own) return take_own_describe(*describe, *statement->own);
    if (!has_backend()) return Took::need_backend;
    Expected entry{Expect::describe};
    if (!is_of_statement) {
        pending().push(std::move(entry));
        forward(message);
        return Took::yes;
    }
    if (statement) {
        auto const took = bring_for(describe->name, statement);
        if (took != Took::yes) return took;
    } else if (describe->name.empty()) {
        close_unnamed();
    }
    entry.prepared = statement;
    entry.name = describe->name;
    if (statement && describe->name.empty()) entry.learns = Learns::first;
    auto const server_name = server_name_of(describe->name, statement);
    wire::Describe{'S', server_name}.write(to_server());
    entry.has_our_name = server_name != describe->name;
    pending().push(std::move(entry));
    return Took::yes;
}

Relay::Took Relay::take_close(std::string_view message, std::string_view body) {
    auto const close = wire::Close::parse(body);
    if (!close) return Took::malformed;
    if (!is_settled()) return settle();
    if (close->kind == 'S' && close->name.empty()) {
        close_unnamed_of_client(message);
    } else if (close->kind == 'S') {
        close_named(std::string(close->name), message);
    } else {
        return close_portal(close->name, message);
    }
    return Took::yes;
}

Relay::Took Relay::close_portal(std::string_view name, std::string_view message) {
    auto const before = state_.bound(name);
    bool const is_own = before && before->own;
    if (is_own && is_busy()) return settle();
    state_.portals().unbind(name);
    if (is_own || at_.backend == nullptr) {
        push_answer(close_complete);
        return Took::yes;
    }
    Expected entry{Expect::close};
    if (before) entry.undo = [this, before, name = std::string(name)] { state_.bind(name, before); };
    pending().push(std::move(entry));
    forward(message);
    return Took::yes;
}

void Relay::pass_close(std::string_view message, std::function<void()> undo) {
    Expected entry{Expect::close};
    entry.changes_names = true;
    entry.undo = std::move(undo);
    pending().push(std::move(entry));
    forward(message);
}

void Relay::close_unnamed_of_client(std::string_view message) {
    auto const before = state_.find("");
    state_.drop_unnamed();
    auto const give_back = [this, before] { state_.set("", before); };
    bool const is_on_server = at_.backend != nullptr && at_.backend->unnamed;
    if (!is_on_server) return push_answer(close_complete, give_back);
    pass_close(message, [this, give_back, stood = std::exchange(at_.backend->unnamed, nullptr)] {
        give_back();
        at_.backend->unnamed = stood;
    });
}

void Relay::close_named(std::string const& name, std::string_view message) {
    auto const before = state_.find(name);
    state_.set(name, nullptr);
    auto const give_back = [this, name, before] { state_.set(name, before); };
    auto const there = at_.client_names.find(name);
    bool const is_there = there != at_.client_names.end();
    // A shared backend keeps the statement for the next client that prepares the same. By its own name the client may also mean one
    // that it has made by SQL.
    bool const is_on_server = is_there || (at_.has_client_names && !before);
    if (!is_on_server) return push_answer(close_complete, give_back);
    if (!is_there) return pass_close(message, give_back);
    pass_close(message, [this, name, give_back, stood = there->second] {
        give_back();
        at_.client_names[name] = stood;
    });
    at_.client_names.erase(there);
}

Relay::Took Relay::take_execute(std::string_view message, std::string_view body) {
    auto const execute = wire::Execute::parse(body);
    if (!execute) return Took::malformed;
    if (!is_settled()) return settle();
    auto const statement = state_.bound(execute->portal);
    if (statement && statement->own) return take_own_execute(*execute, *statement->own);
    if (must_wait_to_read(statement)) return Took::await_reading;
    auto const analysis = statement ? analysis_of(statement) : nullptr;
    if (must_wait_for_facts(analysis.get())) return Took::need_facts;
    if (!has_backend()) return Took::need_backend;
    // A portal that no Bind made is a cursor of SQL: FETCH by another name.
    if (statement) {
        if (is_busy() && reaches_names(analysis.get())) return settle();
        check_before(analysis.get(), statement->text);
        bring_named(analysis.get(), statement->text, true);
    } else {
        note_write(sql::Touched::all());
    }
    push_statement(Expect::execute, analysis);
    forward(message);
    return Took::yes;
}

}  // namespace pgtandem::proxy
