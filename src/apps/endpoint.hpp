// The endpoint of a cluster: its settings, and running it in the process that keeps the cluster running.
#pragma once
#include <memory>

#include "apps/cluster.hpp"
#include "proxy/catalog_watch.hpp"
#include "proxy/endpoint.hpp"
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
    // The endpoint of a cluster of this machine.
    static Result<std::unique_ptr<RunningEndpoint>> open(Cluster const& cluster);
    // One before servers that somebody else manages.
    struct Servers {
        proxy::NodeWatch::ListServers list;
        proxy::Endpoint::ReadSettings read_settings;
    };
    static Result<std::unique_ptr<RunningEndpoint>> open(proxy::EndpointSettings const& settings, Servers servers);
    ~RunningEndpoint();

    // Takes settings that have changed in the store; for the process that keeps the cluster running.
    Status reload() { return endpoint_.reload(); }
    void stop(Clock::duration drain) { endpoint_.stop(drain); }

private:
    RunningEndpoint(proxy::EndpointSettings const& settings, Servers servers);
    Result<Conninfo> find_server(std::string const& database) const;

    Servers servers_;
    proxy::RoutingBoard board_;
    proxy::NodeWatch nodes_;
    proxy::LoginDesk desk_;
    proxy::CatalogWatch catalog_;
    proxy::Endpoint endpoint_;
};

}  // namespace pgtandem::apps
