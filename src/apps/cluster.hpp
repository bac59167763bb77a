// A cluster on this machine, opened: its folder, its agreed state, its credentials. Shared by all commands.
#pragma once
#include <optional>

#include "agent/agreed_state.hpp"
#include "api/topology.hpp"
#include "cli/settings.hpp"
#include "cluster/state.hpp"
#include "instance/credentials.hpp"
#include "instance/layout.hpp"
#include "io/identity.hpp"
#include "store/file_store.hpp"

namespace pgtandem::apps {

struct Cluster {
    explicit Cluster(Path folder)
        : paths{std::move(folder)}, store(paths.store()), reports(paths.reports(), FileStore::Kind::volatile_) {}

    ClusterPaths paths;
    FileStore store;
    FileStore reports;
    cluster::ClusterState state{};
    Credentials credentials{};
};

// The user that owns clusters and runs servers: ourselves, or "postgres" where we are root, whom PostgreSQL refuses.
Result<SystemUser> owner_user();
// Where a cluster lies if nobody says.
Path default_folder();

// Becomes the owner for good (where we are root) and leaves folders the owner may not enter.
Status work_as(SystemUser const& owner);

Result<cli::Settings> gather_settings(cli::CommandLine const& line);

// Reads state and credentials. Errors: there is no cluster, it cannot be read.
Status load(Cluster& cluster);
// The cluster that the settings name, opened by its owner. Errors: none is there, or not ours.
Result<Cluster> open_cluster(cli::Settings const& settings);
// The same, and it must be up.
Result<Cluster> open_running_cluster(cli::Settings const& settings, std::string const& command);

// The process that keeps the cluster running; nothing when it is down. 0 for the moment in which it has no name yet.
Result<std::optional<pid_t>> up_process(Cluster const& cluster);

// How the user connects to the endpoint; nothing where the cluster has none.
std::optional<Conninfo> endpoint_conninfo(Cluster const& cluster);
std::string endpoint_setting(cluster::ClusterState const& state, std::string const& name);

api::Topology topology_of(Cluster const& cluster);
std::map<std::string, cluster::NodeReport> node_reports(Cluster const& cluster);

// What the cluster was made with, for Settings::add_remembered.
std::map<std::string, std::string> remembered(cluster::ClusterState const& state);

}  // namespace pgtandem::apps
