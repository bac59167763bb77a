// Statements that the endpoint answers itself, in both protocols and in their turn.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "proxy/relay.hpp"
#include "wire/backend.hpp"
#include "wire/framing.hpp"
#include "wire/query.hpp"

namespace pgtandem::proxy {

namespace {

void write_rows(ByteBuffer& out, std::span<std::string const> rows) {
    for (auto const& row : rows) {
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

wire::ErrorFields aborted() {
    return make_error("ERROR", "25P02", "current transaction is aborted, commands ignored until end of transaction block");
}

wire::ErrorFields duplicate_cursor(std::string_view portal) {
    return make_error("ERROR", "42P03", fmt::format("cursor \"{}\" already exists", portal));
}

// As the server gives the rows of SHOW and EXPLAIN: one that has given as many as it was asked for is not known to be at its end.
void give_rows(ByteBuffer& out, OwnRun& run, std::int32_t most) {
    auto const& rows = run.answer->rows;
    auto const left = rows.size() - run.rows_given;
    auto const wanted = most > 0 ? std::min<std::size_t>(static_cast<std::size_t>(most), left) : left;
    write_rows(out, {rows.begin() + static_cast<std::ptrdiff_t>(run.rows_given), wanted});
    run.rows_given += wanted;
    bool const is_suspended = most > 0 && wanted == static_cast<std::size_t>(most);
    if (is_suspended) wire::write_portal_suspended(out);
    else wire::CommandComplete{run.answer->tag}.write(out);
}

}  // namespace

char Relay::transaction_status() const {
    if (at_.backend != nullptr) return at_.backend->transaction;
    return deferred_begin_.empty() ? 'I' : 'T';
}

// Nothing: it has to wait for what it asks.
std::optional<OwnAnswer> Relay::answer_to_own(OwnStatement const& own) {
    if (transaction_status() == 'E') {
        OwnAnswer refused;
        refused.error = aborted();
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
        write_rows(out, answer->rows);
        wire::CommandComplete{answer->tag}.write(out);
    }
    wire::ReadyForQuery{transaction_status()}.write(out);
    state_.drop_unnamed();
    state_.portals().unbind("");
    if (transaction_status() == 'I') state_.portals().end_all();
    return Took::yes;
}

// What is the endpoint's own is taken when all before it has been answered: an error there makes it void, and only then is it certain
// which portals there are.
Relay::Took Relay::take_own_parse(std::string const& name, PreparedRef const& statement) {
    if (is_busy()) return settle();
    if (transaction_status() == 'E') return refuse_own(aborted());
    state_.set(name, statement);
    wire::write_parse_complete(client_.output());
    return Took::yes;
}

Relay::Took Relay::take_own_bind(wire::Bind const& bind, PreparedRef const& statement, wire::Header header) {
    if (is_busy()) return settle();
    if (auto const count = bind.value_count(); count > 0) {
        auto const text = fmt::format("bind message supplies {} parameters, but prepared statement \"{}\" requires 0", count, bind.statement);
        return refuse_own_bind(make_error("ERROR", "08P01", text), header);
    }
    if (transaction_status() == 'E') return refuse_own_bind(aborted(), header);
    if (!bind.portal.empty() && state_.bound(bind.portal)) return refuse_own_bind(duplicate_cursor(bind.portal), header);
    // The server's would be there still when this one is closed.
    if (auto const before = state_.bound(bind.portal); before && !before->own && at_.backend != nullptr) {
        wire::Close{'P', bind.portal}.write(to_server());
        Expected entry{Expect::close};
        entry.is_ours = true;
        pending().push(std::move(entry));
    }
    state_.bind(bind.portal, statement);
    wire::write_bind_complete(client_.output());
    drop_message(header);
    return Took::yes;
}

Relay::Took Relay::take_own_describe(wire::Describe const& describe, OwnStatement const& own) {
    if (is_busy()) return settle();
    auto const column = column_of(own);
    if (transaction_status() == 'E' && !column.empty()) return refuse_own(aborted());
    auto& out = client_.output();
    // ParameterDescription: none.
    if (describe.kind == 'S') out.append(std::string_view("t\0\0\0\6\0\0", 7));
    write_columns(out, column);
    return Took::yes;
}

Relay::Took Relay::take_own_execute(wire::Execute const& execute, OwnStatement const& own) {
    if (is_busy()) return settle();
    auto& run = state_.portals().run_of(execute.portal);
    if (run.answer && column_of(own).empty()) return refuse_own(make_error("ERROR", "55000", fmt::format("portal \"{}\" cannot be run", execute.portal)));
    if (!run.answer) {
        if (own.kind == OwnStatement::Kind::explain && host_.must_wait_for_facts()) return Took::need_facts;
        auto answer = answer_to_own(own);
        if (!answer) return Took::need_backend;
        if (answer->error) return refuse_own(*answer->error);
        run.answer = std::move(answer);
    }
    give_rows(client_.output(), run, execute.max_rows);
    return Took::yes;
}

// What came before it up to the last Sync is one transaction, answered already or not.
Relay::Took Relay::refuse_own(wire::ErrorFields const& error) {
    if (at_.backend != nullptr || transaction_status() == 'T') {
        if (!has_backend()) return Took::need_backend;
        fail_on_server(Expect::parse, error);
        return Took::yes;
    }
    wire::write_error_response(client_.output(), error);
    ignores_until_sync_ = true;
    return Took::yes;
}

Relay::Took Relay::refuse_own_bind(wire::ErrorFields const& error, wire::Header header) {
    auto const took = refuse_own(error);
    if (took == Took::yes) drop_message(header);
    return took;
}

// The server does not know of a portal that the endpoint itself runs.
bool Relay::is_taken_by_own(std::string_view portal) const {
    if (portal.empty()) return false;
    auto const present = state_.bound(portal);
    return present && present->own;
}

Relay::Took Relay::refuse_taken_portal(std::string_view portal, wire::Header header) {
    if (is_busy()) return settle();
    return refuse_own_bind(duplicate_cursor(portal), header);
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

}  // namespace pgtandem::proxy
