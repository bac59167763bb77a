#include "proxy/node_watch.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto look_interval = 250ms;
constexpr auto first_patience = 3s;
constexpr auto moment = 2ms;

// One that was left to itself has another address now, or another part in the cluster.
bool is_same(WatchedServer const& one, WatchedServer const& other) {
    return to_keywords(one.conninfo) == to_keywords(other.conninfo) && one.tls == other.tls;
}

}  // namespace

NodeWatch::NodeWatch(RoutingBoard& board, ListServers list_servers)
    : board_(board), list_servers_(std::move(list_servers)) {}

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
    keep_watches(list_servers_());
    auto const deadline = Deadline::in(first_patience);
    auto const has_seen = [](auto const& watch) { return watch.second->seen().has_value(); };
    while (!std::ranges::all_of(watches_, has_seen) && !deadline.passed()) std::this_thread::sleep_for(moment);
    look();
    thread_ = std::thread([this] { run(); });
}

void NodeWatch::run() {
    std::unique_lock lock(mutex_);
    while (!wakes_.wait_for(lock, look_interval, [this] { return ends_; })) {
        lock.unlock();
        try {
            look();
        } catch (std::exception const& fault) {
            // No thread or no memory is left: what was known before holds until the next look.
            log::warn("endpoint: looking at the servers: {}", fault.what());
        }
        lock.lock();
    }
}

void NodeWatch::look() {
    keep_watches(list_servers_());
    auto entries = judge();
    auto const before = board_.current();
    for (auto const& entry : entries) {
        auto const* const known = before->find(entry.name);
        if (known != nullptr && !known->is_usable && entry.is_usable) entry.position->back_since(Clock::now());
    }
    board_.publish(std::move(entries));
}

void NodeWatch::keep_watches(std::vector<WatchedServer> const& servers) {
    std::erase_if(watches_, [&](auto const& entry) {
        return std::ranges::none_of(servers, [&](auto const& server) { return server.name == entry.first && is_same(server, entry.second->server()); });
    });
    for (auto const& server : servers) {
        auto const known = watches_.find(server.name);
        if (known != watches_.end()) known->second->take_part(server.is_primary);
        else watches_[server.name] = std::make_unique<ServerWatch>(server, board_, history_);
    }
}

std::vector<ServerEntry> NodeWatch::judge() const {
    std::map<std::string, ServerSeen> seen;
    std::uint32_t newest = 0;
    for (auto const& [name, watch] : watches_) {
        auto const& found = seen[name] = watch->seen().value_or(ServerSeen{false, "it has not answered yet"});
        if (found.answers && !found.in_recovery) newest = std::max(newest, found.timeline);
    }
    // A server that was the primary before another was promoted still says that it is one: the newer timeline tells.
    auto const claims = [&](auto const& entry) {
        auto const& found = seen.at(entry.first);
        auto const& agreed = entry.second->part();
        if (agreed) return *agreed;
        return found.answers && !found.in_recovery && found.timeline == newest;
    };
    auto const claimants = std::ranges::count_if(watches_, claims);
    std::vector<ServerEntry> entries;
    for (auto const& watched : watches_) {
        auto const& server = watched.second->server();
        auto const& found = seen.at(server.name);
        ServerEntry entry{server.name, server.conninfo.host, server.conninfo.port};
        entry.is_primary = claims(watched);
        entry.tls = server.tls;
        entry.tls_name = server.conninfo.host;
        entry.watch_login = watched.second->login();
        entry.reserve_login = watched.second->reserve_login();
        entry.position = watched.second->position();
        entry.timeline = found.timeline;
        entry.commits_without_flush = found.commits_without_flush;
        entry.configured_at = found.configured_at;
        entry.search_path = found.search_path;
        entry.why_unusable = found.why;
        if (found.answers && entry.is_primary == found.in_recovery) {
            entry.why_unusable = entry.is_primary ? "it is in recovery" : "it takes writes and is not the primary";
        } else if (entry.is_primary && claimants > 1) {
            entry.why_unusable = "more than one server says that it is the primary";
        } else {
            entry.is_usable = found.answers;
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace pgtandem::proxy
