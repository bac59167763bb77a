// Looks at the servers, again and again, and publishes which of them is what. A thread, and one for each server.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/routing.hpp"
#include "proxy/server_watch.hpp"

namespace pgtandem::proxy {

class NodeWatch {
public:
    using ListServers = std::function<std::vector<WatchedServer>()>;

    NodeWatch(RoutingBoard& board, ListServers list_servers);
    ~NodeWatch();

    // Looks once before it returns, so that the first clients meet a known world.
    void start();

private:
    void run();
    void look();
    void keep_watches(std::vector<WatchedServer> const& servers);
    std::vector<ServerEntry> judge() const;

    RoutingBoard& board_;
    ListServers list_servers_;
    PrimaryHistory history_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<ServerWatch>> watches_;
    std::condition_variable wakes_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
