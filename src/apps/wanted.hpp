// What a command asks a cluster to become, checked before anything changes.
#pragma once
#include "apps/cluster.hpp"
#include "instance/programs.hpp"

namespace pgtandem::apps {

// PostgreSQL's programs for the cluster: of its version, or for a new one the newest.
Result<PgPrograms> programs_for(cluster::ClusterState const& state, cli::Settings const& settings);

// The state the settings ask for, starting from what is there. Errors: fewer replicas than there are; a running cluster
// asked for another address or port; a setting PostgreSQL refuses; strict without a replica.
Result<cluster::ClusterState> wanted_state(cluster::ClusterState const& present, cli::Settings const& settings,
                                           bool is_running);

// Adds a node with the next free port. An empty name takes the next one.
// Errors: the name is taken or no name for a slot.
Result<std::string> add_node(cluster::ClusterState& state, std::string name);

// Settings by PostgreSQL itself, the ports of nodes that do not run, the disk for nodes without data; the endpoint's ports
// unless it has them already.
Status check_wanted(Cluster const& cluster, cluster::ClusterState const& wanted, PgPrograms const& programs,
                    bool endpoint_is_open);

// What POSTGRES_* asks for, from --env-file; all empty without one. To be read before the user changes.
Result<WantedCredentials> given_credentials(cli::Settings const& settings);
// Errors: another user or database than the cluster was made with.
Status check_same_credentials(Credentials const& present, WantedCredentials const& given);

}  // namespace pgtandem::apps
