// What a worker tells of itself, as values: the rows behind the console and the metrics.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "proxy/memory_use.hpp"
#include "proxy/route_counts.hpp"

namespace pgtandem::proxy {

struct ClientInfo {
    std::uint64_t id = 0;
    std::string user, database, application_name;
    std::string state;  // "idle", "active", "waiting", "login"
    std::string address;
    std::uint16_t port = 0;
    std::chrono::system_clock::time_point connected_at{};
    std::chrono::microseconds waits{};
    std::string server;               // node, while a backend is attached
    std::uint32_t backend_pid = 0;    // of the backend attached, or 0
    std::uint32_t told_pid = 0;       // in BackendKeyData
    std::string tls;
    std::string pins;    // why it is pinned, or ""
    std::string pinned_by;  // the statement's beginning that pinned it
    std::uint64_t prepared_statements = 0;
    bool is_replication = false;
    std::uint64_t input_bytes = 0, output_bytes = 0;  // not taken yet, by us and by the client
};

struct BackendInfo {
    std::string node, user, database;
    std::string state;  // "active", "idle", "login", "pinned"
    std::string address;
    std::uint16_t port = 0;
    std::uint32_t backend_pid = 0;
    std::uint64_t client_id = 0;
    std::uint64_t prepared_statements = 0;
};

struct PoolInfo {
    std::string node, database, user;
    std::uint64_t clients_active = 0, clients_waiting = 0, clients_idle = 0;
    std::uint64_t backends_active = 0, backends_idle = 0, backends_login = 0, backends_pinned = 0;
    std::chrono::microseconds longest_wait{};  // of those who wait now
};

struct DatabaseStats {  // totals since the start
    std::string database;
    std::uint64_t transactions = 0, queries = 0, wait_microseconds = 0, logins = 0;
    std::uint64_t sharing_checks = 0, sharing_faults = 0;  // in the checking mode
};

struct StatementInfo {
    std::string database;
    std::string text;  // the beginning of one of those that differ in literals only
    std::string reason;
    std::uint64_t count = 0;
};

struct WorkerSnapshot {
    std::vector<ClientInfo> clients;
    std::vector<BackendInfo> backends;
    std::vector<PoolInfo> pools;
    std::vector<DatabaseStats> stats;
    std::map<std::string, RouteCounts> routes;  // by database
    std::vector<StatementInfo> statements;      // the most frequent ones
    MemoryUse memory;
};

}  // namespace pgtandem::proxy
