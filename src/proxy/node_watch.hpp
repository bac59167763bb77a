// Looks at the servers, again and again, and publishes which of them is what. One thread, a session with each server.
#pragma once
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "client/session.hpp"
#include "proxy/routing.hpp"

namespace pgtandem::proxy {

struct WatchedServer {
    std::string name;
    Conninfo conninfo;                 // as a superuser
    std::optional<bool> is_primary{};  // as the cluster agreed; nothing: what the server says of itself
    std::shared_ptr<io::TlsContext const> tls{};  // for what the endpoint itself opens to it; null: none
};

class NodeWatch {
public:
    using ListServers = std::function<std::vector<WatchedServer>()>;

    NodeWatch(RoutingBoard& board, ListServers list_servers);
    ~NodeWatch();

    // Looks once before it returns, so that the first clients meet a known world.
    void start();

private:
    struct Seen {
        bool answers = false;
        std::string why{};
        bool in_recovery = false;
        std::uint32_t timeline = 0;
        std::uint64_t position = 0;  // written on a primary, replayed on a replica
    };

    void run();
    void look();
    Result<Seen> look_at(WatchedServer const& server);
    Result<Seen> look_once(WatchedServer const& server);

    RoutingBoard& board_;
    ListServers list_servers_;
    std::map<std::string, Session> sessions_;
    std::mutex mutex_;
    std::condition_variable wakes_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
