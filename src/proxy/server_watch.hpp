// Watches one server, in a thread of its own: what it is, and how far it is, again and again.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/stop_signal.hpp"
#include "client/session.hpp"
#include "proxy/primary_history.hpp"
#include "proxy/routing.hpp"
#include "proxy/server_position.hpp"

namespace pgtandem::proxy {

struct WatchedServer {
    std::string name;
    Conninfo conninfo;                 // of who may see its state
    std::optional<bool> is_primary{};  // as the cluster agreed; nothing: what the server says of itself
    std::shared_ptr<io::TlsContext const> tls{};  // for what the endpoint itself opens to it; null: none
};

struct ServerSeen {
    bool answers = false;
    std::string why{};
    bool in_recovery = false;
    std::uint32_t timeline = 0;
    std::uint64_t position = 0;  // LSN: flushed on a primary, replayed on a replica
    bool commits_without_flush = false;  // synchronous_commit is off for somebody who has not said so himself

    std::string configured_at{};
    std::string search_path{};

    bool operator==(ServerSeen const&) const = default;
};

class ServerWatch {
public:
    ServerWatch(WatchedServer server, RoutingBoard const& board, PrimaryHistory& history);
    ~ServerWatch();

    WatchedServer const& server() const { return server_; }
    // What the cluster agreed that it is. Of the thread that has made the watch.
    std::optional<bool> const& part() const { return part_; }
    void take_part(std::optional<bool> is_primary) { part_ = is_primary; }
    // As it was seen last; nothing before the first look has ended. One that hangs does not answer.
    std::optional<ServerSeen> seen() const;
    // Another one after each life of the server.
    std::shared_ptr<ServerPosition> position() const;
    std::shared_ptr<ServerLogin const> const& login() const { return login_; }
    std::shared_ptr<ServerLogin const> const& reserve_login() const { return reserve_login_; }

private:
    void run();
    void look();
    Result<ServerSeen> look_once();
    void begin_another_life();
    bool is_primary() const;
    Result<Session*> session();
    Status look_at_configuration(Session& session, std::string const& configured_at);

    WatchedServer server_;
    std::shared_ptr<ServerLogin const> login_;
    std::shared_ptr<ServerLogin const> reserve_login_;
    RoutingBoard const& board_;
    PrimaryHistory& history_;
    std::optional<bool> part_;
    std::shared_ptr<ServerPosition> position_ = std::make_shared<ServerPosition>();
    std::optional<Session> session_;
    std::uint32_t timeline_ = 0;  // in this session
    std::string configured_at_;
    std::string search_path_;
    bool has_been_seen_ = false;
    bool is_another_life_ = false;
    mutable std::mutex mutex_;
    std::optional<ServerSeen> seen_;
    Clock::time_point asked_at_{};  // while it has not answered
    StopSignal stop_;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
