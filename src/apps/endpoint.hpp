// The endpoint of a cluster: its settings, and running it in the process that keeps the cluster running.
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "apps/cluster.hpp"
#include "proxy/catalog_watch.hpp"
#include "proxy/endpoint.hpp"
#include "proxy/handover.hpp"
#include "proxy/login_desk.hpp"
#include "proxy/node_watch.hpp"
#include "proxy/routing.hpp"

namespace pgtandem::apps {

// The defaults, and what the cluster was asked for besides.
Result<proxy::EndpointSettings> endpoint_settings(cluster::ClusterState const& state);
// Takes what flags and file say into the state. Errors: no such setting, a bad value, one that needs a new start.
Status take_endpoint_settings(cluster::ClusterState& state, cli::Settings const& settings, bool is_running);
Status check_endpoint_ports(cluster::ClusterState const& state);

// Everything an endpoint needs, in the order in which it is to end.
class RunningEndpoint {
public:
    // Before and after: what is taken over from a process that serves already, and what is to happen when another process
    // asks for it (on a thread of its own).
    struct Succession {
        std::optional<proxy::Takeover> takeover{};
        std::function<Status()> make_way{};
        std::function<void()> take_back{};
        std::function<void()> given{};
    };
    // The endpoint of a cluster of this machine; null where it has none.
    static Result<std::unique_ptr<RunningEndpoint>> open(Cluster const& cluster, Succession succession);
    struct RoleLogin {
        std::string user;
        std::string password;
    };
    // One before servers that somebody else manages.
    struct Servers {
        proxy::NodeWatch::ListServers list;
        proxy::Endpoint::ReadSettings read_settings;
        // Who looks up logins, and who reads the databases' catalogs; nothing: who looks at the servers.
        std::optional<RoleLogin> logins{};
        std::optional<RoleLogin> catalog{};
    };
    static Result<std::unique_ptr<RunningEndpoint>> open(proxy::EndpointSettings const& settings, Servers servers,
                                                         Succession succession);
    ~RunningEndpoint();

    // Takes settings that have changed in the store; for the process that keeps the cluster running.
    Status reload() { return endpoint_.reload(); }
    // False when a worker stands still: then the process has to end without this one's destruction.
    bool stop() { return endpoint_.stop(); }
    // For one whose place another process has taken: serves until all clients have left, or are to. 'stops' ends it at once;
    // it waits a moment each time it is asked. False as stop() is.
    bool drain(std::function<bool()> const& stops);

private:
    void offer(Succession succession);
    RunningEndpoint(proxy::EndpointSettings const& settings, Servers servers);
    sql::FunctionOverrides overrides() const;
    Result<Conninfo> find_server(std::string const& database) const;
    Result<Conninfo> find_logins() const;
    Result<Conninfo> find_catalog(std::string const& database) const;

    Servers servers_;
    proxy::RoutingBoard board_;
    proxy::NodeWatch nodes_;
    proxy::LoginDesk desk_;
    std::unique_ptr<proxy::CatalogWatch> catalog_;
    proxy::Endpoint endpoint_;
    std::unique_ptr<proxy::Handover> handover_;
};

// Asks the process that serves at the same address for its sockets; nothing where none does.
Result<std::optional<proxy::Takeover>> take_over(proxy::EndpointSettings const& settings);

}  // namespace pgtandem::apps
