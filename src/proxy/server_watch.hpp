// Watches one server, in a thread of its own: what it is, again and again, and how far it is, as often as sessions need it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/stop_signal.hpp"
#include "client/session.hpp"
#include "proxy/primary_history.hpp"
#include "proxy/routing.hpp"
#include "proxy/samples.hpp"
#include "proxy/server_position.hpp"

namespace pgtandem::proxy {

struct WatchedServer {
    std::string name;
    Conninfo conninfo;                 // as a superuser
    std::optional<bool> is_primary{};  // as the cluster agreed; nothing: what the server says of itself
    std::shared_ptr<io::TlsContext const> tls{};  // for what the endpoint itself opens to it; null: none
};

struct ServerSeen {
    bool answers = false;
    std::string why{};
    bool in_recovery = false;
    std::uint32_t timeline = 0;
    std::uint64_t position = 0;  // LSN: written on a primary, replayed on a replica
    bool commits_without_flush = false;  // synchronous_commit is off for somebody who has not said so himself

    bool operator==(ServerSeen const&) const = default;
};

class ServerWatch {
public:
    // How to reach the primary as there is one now; from any thread.
    using FindPrimary = std::function<std::optional<Conninfo>()>;
    ServerWatch(WatchedServer server, RoutingBoard const& board, Samples& samples, PrimaryHistory& history, FindPrimary find_primary);
    ~ServerWatch();

    WatchedServer const& server() const { return server_; }
    // What the cluster agreed that it is. Of the thread that has made the watch.
    std::optional<bool> const& part() const { return part_; }
    void take_part(std::optional<bool> is_primary) { part_ = is_primary; }
    // As it was seen last; nothing before the first look has ended. One that hangs does not answer.
    std::optional<ServerSeen> seen() const;
    std::shared_ptr<ServerPosition> const& position() const { return position_; }

private:
    void run();
    void look();
    Result<ServerSeen> look_once();
    void note_replayed(std::uint64_t lsn, Clock::time_point when);
    void sample();
    void follow();
    void fence_reads();
    Status fence_once();
    bool is_fence_wanted() const { return position_->last_fence() != fence_tried_; }
    std::optional<Rows> ask(char const* query);
    bool is_primary() const;
    Result<Session*> session();
    void wait(Clock::time_point next_look);

    WatchedServer server_;
    RoutingBoard const& board_;
    Samples& samples_;
    PrimaryHistory& history_;
    FindPrimary find_primary_;
    std::optional<bool> part_;
    std::shared_ptr<ServerPosition> position_ = std::make_shared<ServerPosition>();
    std::optional<Session> session_;
    std::optional<Session> primary_session_;  // of a replica's watch, while it is needed
    std::uint64_t primary_epoch_ = 0;         // Routing's, when it was opened
    std::uint64_t fence_tried_ = 0;           // the last ticket that was tried
    std::uint32_t timeline_ = 0;  // in this session
    std::uint64_t covered_ = 0;   // the last ticket that a sample of this thread covers
    mutable std::mutex mutex_;
    std::optional<ServerSeen> seen_;
    Clock::time_point asked_at_{};  // while it has not answered
    StopSignal stop_;
    std::thread thread_;
};

}  // namespace pgtandem::proxy
