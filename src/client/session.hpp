// One connection to a PostgreSQL server, through libpq, with a deadline on everything.
// After a timeout the connection is of no more use and is closed.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/result.hpp"
#include "pg/conninfo.hpp"

struct pg_conn;

namespace pgtandem {

class Rows {
public:
    using Row = std::vector<std::optional<std::string>>;

    Rows() = default;
    explicit Rows(std::vector<Row> rows) : rows_(std::move(rows)) {}

    bool empty() const { return rows_.empty(); }
    std::size_t size() const { return rows_.size(); }
    auto begin() const { return rows_.begin(); }
    auto end() const { return rows_.end(); }
    // The first row's first column, or "" where there is none or it is null.
    std::string value() const { return rows_.empty() ? "" : rows_[0][0].value_or(""); }

private:
    std::vector<Row> rows_;
};

class Session {
public:
    // Errors carry the server's SQLSTATE where the server refused. Where it refused conninfo.user, and there is a reserve, the
    // session is the reserve's.
    static Result<Session> connect(Conninfo const& conninfo, Deadline deadline);
    // The reserve's, for what conninfo.user has no right to.
    static Result<Session> connect_as_reserve(Conninfo const& conninfo, Deadline deadline);
    bool is_of_reserve() const { return reserve_since_.has_value(); }
    // It is the reserve's for so long that it is time to see whether the other role can come in.
    bool has_been_reserve_long() const;

    // One statement with text parameters ($1, $2 ...).
    Result<Rows> query(std::string const& sql, std::vector<std::string> const& parameters, Deadline deadline);
    Result<Rows> query(std::string const& sql, Deadline deadline) { return query(sql, {}, deadline); }
    // One or several statements without parameters, by the simple protocol; the last result's rows.
    Result<Rows> run_script(std::string const& sql, Deadline deadline);

    // The SCRAM verifier of a password, so that the password itself never stands in a statement (or in a server's log).
    Result<std::string> scram_verifier(std::string const& role, std::string const& password);

    int server_version() const;  // 150020
    bool usable() const;

private:
    struct Closer {
        void operator()(pg_conn* connection) const;
    };
    Session(std::unique_ptr<pg_conn, Closer> connection, std::string address)
        : connection_(std::move(connection)), address_(std::move(address)) {}

    static Result<Session> connect_once(Conninfo const& conninfo, Deadline deadline);
    Result<Rows> collect(Deadline deadline);
    tl::unexpected<Error> connection_error();
    Status wait_readable(Deadline deadline);

    std::unique_ptr<pg_conn, Closer> connection_;
    std::string address_;
    std::optional<Clock::time_point> reserve_since_{};
};

}  // namespace pgtandem
