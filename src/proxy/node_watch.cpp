#include "proxy/node_watch.hpp"

#include <algorithm>
#include <cstdlib>

#include "pg/lsn.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto look_interval = 500ms;
constexpr auto patience = 2s;

constexpr char const* state_query =
    "SELECT pg_catalog.pg_is_in_recovery(), "
    "(SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()), "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END";

}  // namespace

NodeWatch::NodeWatch(RoutingBoard& board, ListServers list_servers) : board_(board), list_servers_(std::move(list_servers)) {}

NodeWatch::~NodeWatch() {
    if (!thread_.joinable()) return;
    {
        std::lock_guard const guard(mutex_);
        ends_ = true;
    }
    wakes_.notify_all();
    thread_.join();
}

void NodeWatch::start() {
    look();
    thread_ = std::thread([this] { run(); });
}

void NodeWatch::run() {
    std::unique_lock lock(mutex_);
    while (!wakes_.wait_for(lock, look_interval, [this] { return ends_; })) {
        lock.unlock();
        look();
        lock.lock();
    }
}

void NodeWatch::look() {
    auto const servers = list_servers_();
    std::map<std::string, Seen> seen;
    std::uint32_t newest = 0;
    for (auto const& server : servers) {
        auto const looked = look_at(server);
        seen[server.name] = looked ? *looked : Seen{false, looked.error().line()};
        auto const& found = seen[server.name];
        if (found.answers && !found.in_recovery) newest = std::max(newest, found.timeline);
    }
    // A server that was the primary before another was promoted still says that it is one: the newer timeline tells.
    auto const claims = [&](WatchedServer const& server) {
        auto const& found = seen.at(server.name);
        if (server.is_primary) return *server.is_primary;
        return found.answers && !found.in_recovery && found.timeline == newest;
    };
    auto const claimants = std::ranges::count_if(servers, claims);
    std::uint64_t written = 0;
    for (auto const& server : servers) {
        if (claims(server)) written = std::max(written, seen.at(server.name).position);
    }
    std::vector<ServerEntry> entries;
    for (auto const& server : servers) {
        auto const& found = seen.at(server.name);
        ServerEntry entry{server.name, server.conninfo.host, server.conninfo.port};
        entry.is_primary = claims(server);
        entry.tls = server.tls;
        entry.tls_name = server.conninfo.host;
        entry.why_unusable = found.why;
        if (found.answers && entry.is_primary == found.in_recovery) {
            entry.why_unusable = entry.is_primary ? "it is in recovery" : "it takes writes and is not the primary";
        } else if (entry.is_primary && claimants > 1) {
            entry.why_unusable = "more than one server says that it is the primary";
        } else {
            entry.is_usable = found.answers;
        }
        // Not the exact lag, which is another at each look: clients are not to be told of a change where there is none.
        constexpr std::uint64_t lag_step = 16 << 20;
        if (!entry.is_primary && written > found.position) entry.lag_bytes = (written - found.position) / lag_step * lag_step;
        entries.push_back(std::move(entry));
    }
    board_.publish(std::move(entries));
}

Result<NodeWatch::Seen> NodeWatch::look_at(WatchedServer const& server) {
    bool const was_connected = sessions_.contains(server.name);
    auto seen = look_once(server);
    // That a session was ended says nothing of the server: a new one does. A server that is silent has had its time.
    bool const is_worth_another = !seen && was_connected && seen.error().kind != ErrorKind::timed_out;
    return is_worth_another ? look_once(server) : seen;
}

Result<NodeWatch::Seen> NodeWatch::look_once(WatchedServer const& server) {
    auto found = sessions_.find(server.name);
    if (found != sessions_.end() && !found->second.usable()) {
        sessions_.erase(found);
        found = sessions_.end();
    }
    if (found == sessions_.end()) {
        PGTANDEM_TRY(session, Session::connect(server.conninfo, Deadline::in(patience)));
        found = sessions_.emplace(server.name, std::move(session)).first;
    }
    auto const rows = found->second.query(state_query, Deadline::in(patience));
    if (!rows) {
        sessions_.erase(found);
        return fail(rows.error());
    }
    auto const& row = *rows->begin();
    auto const lsn = parse_lsn(row[2].value_or(""));
    return Seen{true, "", row[0] == "t", static_cast<std::uint32_t>(std::strtoul(row[1].value_or("0").c_str(), nullptr, 10)),
                lsn ? lsn->value() : 0};
}

}  // namespace pgtandem::proxy
