// Which servers there are and what each is at present: published by one writer, read by every worker without waiting.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/tls.hpp"
#include "proxy/server_position.hpp"

namespace pgtandem::proxy {

struct ServerLogin;

struct ServerEntry {
    std::string name;         // the node's
    std::string host;         // a numeric address, or the folder of a Unix socket
    std::uint16_t port = 5432;
    bool is_primary = false;
    bool is_usable = false;   // answers, and has the role it is to have
    std::string why_unusable{};
    std::uint32_t timeline = 0;   // a replica's: which it follows, 0 where it has not said
    bool commits_without_flush = false;  // of a primary: a commit's record may lie above what has been flushed
    std::string configured_at{};  // when it loaded its configuration
    std::string search_path{};    // what sessions begin with there, where nobody set it for a role or a database
    std::shared_ptr<ServerPosition> position{};  // how far it is, at any time
    // TLS towards it; null: none.
    std::shared_ptr<io::TlsContext const> tls{};
    std::string tls_name{};  // the host name to check
    std::shared_ptr<ServerLogin const> watch_login{};    // of the role that watches it
    std::shared_ptr<ServerLogin const> reserve_login{};  // of the one that comes in where that role cannot; null: none

    bool operator==(ServerEntry const&) const = default;
};

struct Routing {
    std::uint64_t version = 0;
    // Counts primaries: another server, or another timeline. Positions of one epoch say nothing in another.
    std::uint64_t epoch = 0;
    std::vector<ServerEntry> servers;
    bool has_reader = false;  // a replica that follows the primary

    ServerEntry const* primary() const {
        for (auto const& server : servers) {
            if (server.is_primary && server.is_usable) return &server;
        }
        return nullptr;
    }
    // What it has replayed is the primary's history, not one that ended with a former primary.
    bool follows_primary(ServerEntry const& server) const {
        auto const* const its_primary = primary();
        return its_primary != nullptr && !server.is_primary && server.is_usable && server.timeline == its_primary->timeline;
    }
    // Nothing says that its history is not the primary's: there may be no primary at present.
    bool agrees_with_primary(ServerEntry const& server) const {
        return primary() != nullptr ? follows_primary(server) : !server.is_primary && server.is_usable;
    }
    // Names mean the same on all servers.
    bool agrees_on_path() const {
        auto const* const its_primary = primary();
        if (its_primary == nullptr) return false;
        for (auto const& server : servers) {
            if (server.is_usable && server.search_path != its_primary->search_path) return false;
        }
        return true;
    }
    ServerEntry const* find(std::string const& name) const {
        for (auto const& server : servers) {
            if (server.name == name) return &server;
        }
        return nullptr;
    }
};

class RoutingBoard {
public:
    std::shared_ptr<Routing const> current() const {
        std::lock_guard const guard(mutex_);
        return current_;
    }
    // Counts the version up (and the epoch, where the primary is another) and calls the listener, if anything differs.
    void publish(std::vector<ServerEntry> servers);
    // Called by publish(), on its thread. One listener.
    void on_change(std::function<void()> listener);

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Routing const> current_ = std::make_shared<Routing>();
    std::string primary_;  // the last one there was, and its timeline
    std::uint32_t timeline_ = 0;
    std::mutex listening_;  // held while the listener is called
    std::function<void()> listener_;
};

}  // namespace pgtandem::proxy
