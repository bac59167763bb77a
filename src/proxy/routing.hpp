// Which servers there are and what each is at present: published by one writer, read by every worker without waiting.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/tls.hpp"

namespace pgtandem::proxy {

struct ServerEntry {
    std::string name;         // the node's
    std::string host;         // a numeric address, or the folder of a Unix socket
    std::uint16_t port = 5432;
    bool is_primary = false;
    bool is_usable = false;   // answers, and has the role it is to have
    std::string why_unusable{};
    std::uint64_t lag_bytes = 0;  // of replay behind the primary
    // TLS towards it; null: none.
    std::shared_ptr<io::TlsContext const> tls{};
    std::string tls_name{};  // the host name to check

    bool operator==(ServerEntry const&) const = default;
};

struct Routing {
    std::uint64_t version = 0;
    std::vector<ServerEntry> servers;

    ServerEntry const* primary() const {
        for (auto const& server : servers) {
            if (server.is_primary && server.is_usable) return &server;
        }
        return nullptr;
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
    // Counts the version up and calls the listener, if anything differs.
    void publish(std::vector<ServerEntry> servers);
    // Called by publish(), on its thread. One listener.
    void on_change(std::function<void()> listener);

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Routing const> current_ = std::make_shared<Routing>();
    std::function<void()> listener_;
};

}  // namespace pgtandem::proxy
