#include "client/session.hpp"

#include <libpq-fe.h>
#include <poll.h>


#include "base/text.hpp"
#include "pg/own_session.hpp"

namespace pgtandem {

namespace {

constexpr auto reserve_time = 10s;

using ResultHandle = std::unique_ptr<PGresult, decltype(&PQclear)>;

bool wait_for(int fd, short events, Deadline deadline) {
    pollfd entry{fd, events, 0};
    do {
        if (::poll(&entry, 1, deadline.poll_milliseconds()) > 0) return true;
    } while (!deadline.passed());
    return false;
}

Rows rows_of(PGresult const* result) {
    std::vector<Rows::Row> rows;
    for (int row = 0; row < PQntuples(result); ++row) {
        auto& values = rows.emplace_back();
        for (int column = 0; column < PQnfields(result); ++column) {
            if (PQgetisnull(result, row, column)) {
                values.emplace_back();
            } else {
                values.emplace_back(std::string(PQgetvalue(result, row, column),
                                                static_cast<std::size_t>(PQgetlength(result, row, column))));
            }
        }
    }
    return Rows(std::move(rows));
}

Error server_error(PGresult const* result, std::string const& address) {
    auto const field = [&](int code) {
        char const* text = PQresultErrorField(result, code);
        return std::string(text != nullptr ? text : "");
    };
    Error error{"asking the server", address, field(PG_DIAG_MESSAGE_PRIMARY)};
    error.sqlstate = field(PG_DIAG_SQLSTATE);
    if (error.why.empty()) error.why = trim(PQresultErrorMessage(result));
    return error;
}

// In place of PGOPTIONS too.
std::string own_options() {
    std::string options;
    for (auto const& [name, value] : own_session_settings) {
        options.append(" -c ").append(name).append("=").append(replace_all(value, " ", "\\ "));
    }
    return options;
}

PGconn* start_connection(Conninfo const& conninfo) {
    auto const port = std::to_string(conninfo.port);
    auto const options = own_options();
    std::vector<char const*> names{"host", "port", "user", "application_name", "client_encoding", "options"};
    std::vector<char const*> values{conninfo.host.c_str(), port.c_str(), conninfo.user.c_str(),
                                    conninfo.application_name.c_str(), "UTF8", options.c_str()};
    auto const add = [&](char const* name, std::string const& value) {
        if (value.empty()) return;
        names.push_back(name);
        values.push_back(value.c_str());
    };
    add("dbname", conninfo.database);
    add("password", conninfo.password);
    add("passfile", conninfo.passfile);
    static std::string const yes = "true";
    if (conninfo.replication) add("replication", yes);
    names.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(names.data(), values.data(), 0);
}

// libpq puts "connection to server at ... failed: " before the reason; our own message says where already. Of a refusal that
// cannot come into being it tells the SQLSTATE in its verbose words only: "FATAL:  53300: sorry, ...", and the place in a last line.
Error connection_failure(PGconn const* connection) {
    std::string text(trim(PQerrorMessage(connection)));
    if (auto const at = text.rfind("failed: "); at != std::string::npos) text.erase(0, at + 8);
    if (auto const at = text.rfind("\nLOCATION:"); at != std::string::npos) text.erase(at);
    Error error{};
    constexpr std::size_t state_length = 5;
    auto const state = text.find(":  ") + 3;
    bool const is_refusal = state >= 3 && text.substr(std::min(text.size(), state + state_length), 2) == ": ";
    if (is_refusal) {
        error.sqlstate = text.substr(state, state_length);
        text.erase(state, state_length + 2);
    }
    error.why = std::move(text);
    return error;
}

}  // namespace

void Session::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<Session> Session::connect(Conninfo const& conninfo, Deadline deadline) {
    auto session = connect_once(conninfo, deadline);
    if (session || conninfo.reserve_user.empty() || !is_for_the_reserve(session.error().sqlstate)) return session;
    return connect_as_reserve(conninfo, deadline);
}

Result<Session> Session::connect_as_reserve(Conninfo const& conninfo, Deadline deadline) {
    auto reserve = conninfo;
    reserve.user = conninfo.reserve_user;
    reserve.password = conninfo.reserve_password;
    auto session = connect_once(reserve, deadline);
    if (session) session->reserve_since_ = Clock::now();
    return session;
}

bool Session::has_been_reserve_long() const { return reserve_since_ && Clock::now() - *reserve_since_ > reserve_time; }

Result<Session> Session::connect_once(Conninfo const& conninfo, Deadline deadline) {
    auto const address = to_address(conninfo);
    Session session({start_connection(conninfo), Closer{}}, address);
    auto* const connection = session.connection_.get();
    if (connection == nullptr) return fail("connecting", address, "out of memory");
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    for (auto step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK; step = PQconnectPoll(connection)) {
        if (step == PGRES_POLLING_FAILED || PQstatus(connection) == CONNECTION_BAD) {
            auto failure = connection_failure(connection);
            failure.what = "connecting as " + conninfo.user;
            failure.on = address;
            return fail(std::move(failure));
        }
        auto const events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (!wait_for(PQsocket(connection), static_cast<short>(events), deadline)) {
            return fail(Error{"connecting as " + conninfo.user, address, "timed out", "", ErrorKind::timed_out});
        }
    }
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
    PQsetnonblocking(connection, 1);
    // Notices of the server are not ours to print.
    PQsetNoticeProcessor(
        connection, [](void*, char const*) {}, nullptr);
    return session;
}

Result<Rows> Session::query(std::string const& sql, std::vector<std::string> const& parameters, Deadline deadline) {
    std::vector<char const*> values;
    for (auto const& parameter : parameters) values.push_back(parameter.c_str());
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                          nullptr, nullptr, 0) == 0) {
        return connection_error();
    }
    return collect(deadline);
}

Result<Rows> Session::run_script(std::string const& sql, Deadline deadline) {
    if (PQsendQuery(connection_.get(), sql.c_str()) == 0) return connection_error();
    return collect(deadline);
}

Result<Rows> Session::collect(Deadline deadline) {
    Rows rows;
    Error error;
    bool failed = false;
    for (;;) {
        PGTANDEM_CHECK(wait_readable(deadline));
        ResultHandle const result(PQgetResult(connection_.get()), &PQclear);
        if (!result) break;
        auto const status = PQresultStatus(result.get());
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
            rows = rows_of(result.get());
        } else if (!failed) {
            failed = true;
            error = server_error(result.get(), address_);
        }
        if (PQstatus(connection_.get()) == CONNECTION_BAD) break;
    }
    if (failed) return fail(std::move(error));
    if (PQstatus(connection_.get()) == CONNECTION_BAD) return connection_error();
    return rows;
}

Status Session::wait_readable(Deadline deadline) {
    auto* const connection = connection_.get();
    for (;;) {
        int const unsent = PQflush(connection);
        if (unsent < 0) return connection_error();
        if (unsent == 0 && PQisBusy(connection) == 0) return {};
        auto const events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
        if (!wait_for(PQsocket(connection), static_cast<short>(events), deadline)) {
            connection_.reset();
            return fail(Error{"asking the server", address_, "timed out", "", ErrorKind::timed_out});
        }
        if (PQconsumeInput(connection) == 0) return connection_error();
    }
}

tl::unexpected<Error> Session::connection_error() {
    if (!connection_) return fail("asking the server", address_, "the connection is closed");
    return fail("asking the server", address_, std::string(trim(PQerrorMessage(connection_.get()))));
}

Result<std::string> Session::scram_verifier(std::string const& role, std::string const& password) {
    std::unique_ptr<char, decltype(&PQfreemem)> const verifier(
        PQencryptPasswordConn(connection_.get(), password.c_str(), role.c_str(), "scram-sha-256"), &PQfreemem);
    if (!verifier) return connection_error();
    return std::string(verifier.get());
}

int Session::server_version() const { return PQserverVersion(connection_.get()); }

bool Session::usable() const { return connection_ && PQstatus(connection_.get()) == CONNECTION_OK; }

}  // namespace pgtandem
