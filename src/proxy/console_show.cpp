#include "proxy/console_show.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <map>

#include "pg/lsn.hpp"
#include "proxy/settings_table.hpp"

namespace pgtandem::proxy {

namespace {

using Row = std::vector<std::optional<std::string>>;

std::string number(std::uint64_t value) { return std::to_string(value); }

std::optional<std::string> time_of(std::chrono::system_clock::time_point when) {
    if (when == std::chrono::system_clock::time_point{}) return std::nullopt;
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(when)));
}

// Columns as PgBouncer's SHOW of the same name has them, as far as they mean the same; ours behind them.
ConsoleTable show_pools(EndpointControl& control) {
    ConsoleTable table{{"database", "user", "cl_active", "cl_waiting", "sv_active", "sv_idle", "sv_used", "sv_login", "maxwait",
                        "maxwait_us", "pool_mode", "cl_idle", "sv_pinned", "node"},
                       {}};
    auto const mode = control.settings()->pool_mode;
    std::string const mode_name = mode == PoolMode::transparent ? "transparent" : mode == PoolMode::transaction ? "transaction" : "session";
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& pool : snapshot.pools) {
            auto const waited = static_cast<std::uint64_t>(pool.longest_wait.count());
            table.rows.push_back(Row{pool.database, pool.user, number(pool.clients_active), number(pool.clients_waiting),
                                     number(pool.backends_active), number(pool.backends_idle), "0", number(pool.backends_login),
                                     number(waited / 1'000'000), number(waited % 1'000'000), mode_name, number(pool.clients_idle),
                                     number(pool.backends_pinned), pool.node});
        }
    }
    return table;
}

ConsoleTable show_clients(EndpointControl& control) {
    ConsoleTable table{{"type", "user", "database", "replication", "state", "addr", "port", "connect_time", "wait", "wait_us", "ptr",
                        "link", "remote_pid", "tls", "application_name", "prepared_statements", "id", "pins", "node"},
                       {}};
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& client : snapshot.clients) {
            auto const waited = static_cast<std::uint64_t>(client.waits.count());
            table.rows.push_back(Row{"C", client.user, client.database, client.is_replication ? "yes" : "no", client.state, client.address,
                                     number(client.port), time_of(client.connected_at), number(waited / 1'000'000),
                                     number(waited % 1'000'000), fmt::format("{:#x}", client.id),
                                     client.backend_pid != 0 ? number(client.backend_pid) : "", number(client.told_pid), client.tls,
                                     client.application_name, number(client.prepared_statements), number(client.id), client.pins,
                                     client.server});
        }
    }
    return table;
}

ConsoleTable show_servers(EndpointControl& control) {
    ConsoleTable table{{"type", "user", "database", "state", "addr", "port", "remote_pid", "link", "prepared_statements", "node"}, {}};
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& backend : snapshot.backends) {
            table.rows.push_back(Row{"S", backend.user, backend.database, backend.state, backend.address, number(backend.port),
                                     number(backend.backend_pid), backend.client_id != 0 ? number(backend.client_id) : "",
                                     number(backend.prepared_statements), backend.node});
        }
    }
    return table;
}

ConsoleTable show_stats(EndpointControl& control) {
    std::map<std::string, DatabaseStats> sums;
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& stats : snapshot.stats) {
            auto& sum = sums[stats.database];
            sum.transactions += stats.transactions;
            sum.queries += stats.queries;
            sum.wait_microseconds += stats.wait_microseconds;
            sum.logins += stats.logins;
            sum.sharing_checks += stats.sharing_checks;
            sum.sharing_faults += stats.sharing_faults;
        }
    }
    ConsoleTable table{{"database", "total_xact_count", "total_query_count", "total_wait_time", "total_login_count", "sharing_checks", "sharing_faults"}, {}};
    for (auto const& [database, sum] : sums) {
        table.rows.push_back(Row{database, number(sum.transactions), number(sum.queries), number(sum.wait_microseconds), number(sum.logins),
                                 number(sum.sharing_checks), number(sum.sharing_faults)});
    }
    return table;
}

ConsoleTable show_nodes(EndpointControl& control) {
    ConsoleTable table{{"node", "role", "usable", "addr", "port", "replayed", "lag_ms", "in_use", "why_unusable"}, {}};
    for (auto const& server : control.routing()->servers) {
        std::optional<std::string> replayed;
        std::optional<std::string> lag;
        if (!server.is_primary) {
            replayed = to_string(Lsn(server.position->replayed()));
            lag = std::to_string(server.position->lag().count());
        }
        table.rows.push_back(Row{server.name, server.is_primary ? "primary" : "replica", server.is_usable ? "yes" : "no", server.host,
                                 number(server.port), replayed, lag, std::to_string(server.position->in_use.load()),
                                 server.why_unusable});
    }
    return table;
}

ConsoleTable show_routes(EndpointControl& control) {
    ConsoleTable table{{"database", "kind", "name", "count", "detail"}, {}};
    std::map<std::string, RouteCounts> sums;
    std::map<std::pair<std::string, std::string>, StatementInfo> statements;
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& [database, counts] : snapshot.routes) sums[database] += counts;
        for (auto const& statement : snapshot.statements) {
            auto& sum = statements[{statement.database, statement.text}];
            auto const count = sum.count + statement.count;
            sum = statement;
            sum.count = count;
        }
    }
    auto const add = [&](std::string const& database, char const* kind, std::string_view name, std::uint64_t count, std::string detail) {
        if (count > 0) table.rows.push_back(Row{database, kind, std::string(name), number(count), std::move(detail)});
    };
    for (auto const& [database, counts] : sums) {
        for (std::size_t index = 0; index < counts.statements.size(); ++index) {
            add(database, "statement", sql::name(static_cast<sql::Reason>(index)), counts.statements[index], "");
        }
        for (std::size_t index = 0; index < counts.reads.size(); ++index) {
            add(database, "read", name(static_cast<ReadPlace>(index)), counts.reads[index], "");
        }
        add(database, "wait", "floor", counts.waits, number(counts.wait_microseconds) + " us");
        add(database, "again", "on the primary", counts.asked_again, "what a replica could not answer");
    }
    for (auto const& [key, statement] : statements) add(key.first, "text", statement.text, statement.count, statement.reason);
    return table;
}

ConsoleTable show_pins(EndpointControl& control) {
    ConsoleTable table{{"id", "user", "database", "application_name", "backend_pid", "node", "pins", "statement"}, {}};
    for (auto const& snapshot : control.snapshots()) {
        for (auto const& client : snapshot.clients) {
            if (client.pins.empty()) continue;
            table.rows.push_back(Row{number(client.id), client.user, client.database, client.application_name, number(client.backend_pid),
                                     client.server, client.pins, client.pinned_by});
        }
    }
    return table;
}

ConsoleTable show_mem(EndpointControl& control) {
    ConsoleTable table{{"name", "used", "limit"}, {}};
    auto const snapshots = control.snapshots();
    for (std::size_t index = 0; index < memory_rows.size(); ++index) {
        std::size_t used = 0;
        for (auto const& snapshot : snapshots) used += snapshot.memory.all()[index];
        auto const& [name, bytes_max] = memory_rows[index];
        auto const limit = bytes_max == 0 ? std::nullopt : std::optional(number(bytes_max * snapshots.size()));
        table.rows.push_back(Row{std::string(name), number(used), limit});
    }
    return table;
}

ConsoleTable show_config(EndpointControl& control) {
    ConsoleTable table{{"key", "value", "default", "changeable"}, {}};
    EndpointSettings const defaults;
    auto const settings = control.settings();
    for (auto const& row : endpoint_setting_rows()) {
        table.rows.push_back(Row{std::string(row.name), row.get(*settings), row.get(defaults), row.changes_while_running ? "yes" : "no"});
    }
    return table;
}

ConsoleTable show_version(EndpointControl&) { return {{"version"}, {Row{"pgtandem " PGTANDEM_VERSION}}}; }

constexpr ShowRow rows[] = {
    {"POOLS", "clients and backends of each pool", show_pools},
    {"CLIENTS", "each client", show_clients},
    {"SERVERS", "each backend", show_servers},
    {"STATS", "totals by database since the start", show_stats},
    {"NODES", "the servers and what each is at present", show_nodes},
    {"ROUTES", "what went to which server, and why", show_routes},
    {"PINS", "clients that keep a backend, and why", show_pins},
    {"MEM", "bytes held for clients, by what for", show_mem},
    {"CONFIG", "the settings in effect", show_config},
    {"VERSION", "the program's version", show_version},
};

}  // namespace

std::span<ShowRow const> show_rows() { return rows; }

}  // namespace pgtandem::proxy
