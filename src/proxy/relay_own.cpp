// Statements that the endpoint answers itself, in both protocols and in their turn.
#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

void write_rows(ByteBuffer& out, OwnAnswer const& answer) {
    for (auto const& row : answer.rows) {
        std::optional<std::string> const values[] = {row};
        wire::write_data_row(out, values);
    }
}

void write_columns(ByteBuffer& out, std::string const& column) {
    if (column.empty()) return wire::write_no_data(out);
    std::string const columns[] = {column};
    wire::write_row_description(out, columns);
}

std::string column_of(OwnStatement const& own) {
    switch (own.kind) {
        case OwnStatement::Kind::show: return own.name;
        case OwnStatement::Kind::explain: return "QUERY PLAN";
        default: return {};
    }
}

std::string text_of(ByteBuffer const& bytes) { return std::string(bytes.view()); }

}  // namespace

char Relay::transaction_status() const {
    if (at_.backend != nullptr) return at_.backend->transaction;
    return deferred_begin_.empty() ? 'I' : 'T';
}

// Nothing: it has to wait for what it asks.
std::optional<OwnAnswer> Relay::answer_to_own(OwnStatement const& own) {
    if (transaction_status() == 'E') {
        OwnAnswer refused;
        refused.error = make_error("ERROR", "25P02", "current transaction is aborted, commands ignored until end of transaction block");
        return refused;
    }
    return host_.answer_own(own);
}

Relay::Took Relay::take_own_query(OwnStatement const& own) {
    // An error before it makes it void.
    if (is_busy()) return settle();
    if (own.kind == OwnStatement::Kind::explain && host_.must_wait_for_facts()) return Took::need_facts;
    auto const answer = answer_to_own(own);
    if (!answer) return Took::need_backend;
    if (answer->error && transaction_status() == 'T') {
        if (!has_backend()) return Took::need_backend;
        fail_on_server(Expect::query, *answer->error);
        return Took::yes;
    }
    auto& out = client_.output();
    if (answer->error) {
        wire::write_error_response(out, *answer->error);
    } else {
        if (auto const column = column_of(own); !column.empty()) write_columns(out, column);
        write_rows(out, *answer);
        wire::CommandComplete{answer->tag}.write(out);
    }
    wire::ReadyForQuery{transaction_status()}.write(out);
    return Took::yes;
}

void Relay::take_own_parse(std::string const& name, PreparedRef const& statement) {
    auto const before = state_.find(name);
    state_.set(name, statement);
    ByteBuffer out;
    wire::write_parse_complete(out);
    push_answer(text_of(out), [this, name, before] { state_.set(name, before); });
}

// It takes no parameters: what is sent as such is passed over.
void Relay::take_own_bind(wire::Bind const& bind, PreparedRef const& statement, wire::Header header) {
    state_.bind(bind.portal, statement);
    ByteBuffer out;
    wire::write_bind_complete(out);
    push_own(text_of(out));
    drop_message(header);
}

void Relay::take_own_describe(char kind, OwnStatement const& own) {
    ByteBuffer out;
    // ParameterDescription: none.
    if (kind == 'S') out.append(std::string_view("t\0\0\0\6\0\0", 7));
    write_columns(out, column_of(own));
    push_own(text_of(out));
}

Relay::Took Relay::take_own_execute(OwnStatement const& own) {
    // An error before it makes it void.
    if (is_busy()) return settle();
    if (own.kind == OwnStatement::Kind::explain && host_.must_wait_for_facts()) return Took::need_facts;
    auto const answer = answer_to_own(own);
    if (!answer) return Took::need_backend;
    // What came before it up to the last Sync is one transaction, answered already or not.
    bool const is_in_transaction = at_.backend != nullptr || transaction_status() == 'T';
    if (answer->error && is_in_transaction) {
        if (!has_backend()) return Took::need_backend;
        fail_on_server(Expect::parse, *answer->error);
        return Took::yes;
    }
    ByteBuffer out;
    if (answer->error) {
        wire::write_error_response(out, *answer->error);
        ignores_until_sync_ = true;
    } else {
        write_rows(out, *answer);
        wire::CommandComplete{answer->tag}.write(out);
    }
    push_own(text_of(out));
    return Took::yes;
}

// A statement that was refused ends its transaction: the server gets one that it refuses, and the client the error of its own, 'before'
// before it.
void Relay::fail_on_server(Expect what, wire::ErrorFields const& error, std::string_view before) {
    constexpr std::string_view refused = "pgtandem has refused this statement";
    ByteBuffer message;
    message.append(before);
    wire::write_error_response(message, error);
    Expected entry{what};
    entry.local = text_of(message);
    at_.backend->expected.push(std::move(entry));
    at_.backend->unnamed.reset();
    auto& out = at_.backend->stream().output();
    if (what == Expect::query) wire::Query{refused}.write(out);
    else wire::Parse{"", refused}.write(out);
}

// In its turn, behind what the server still owes.
void Relay::push_own(std::string message) {
    if (!is_busy()) return client_.output().append(message);
    Expected entry{Expect::answer};
    entry.local = std::move(message);
    at_.backend->expected.push(std::move(entry));
}

}  // namespace pgtandem::proxy
