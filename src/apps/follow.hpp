// Watching the agents bring a change about, from the process they run in or from another.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "apps/cluster.hpp"
#include "cli/progress.hpp"

namespace pgtandem::apps {

// Progress on this terminal that leaves out what the agents have done up to now.
cli::Progress progress_from_now(Cluster const& cluster);

// Shows progress until every node that is wanted is ready with the settings in effect and commits are held as the
// durability says. Errors: a node has failed several times in a row; 'cancelled' says true.
Status follow_until_ready(Cluster& cluster, cli::Progress& progress, std::function<bool()> const& cancelled);

// Until the node is no longer part of the cluster.
Status follow_until_removed(Cluster& cluster, std::string const& name, std::function<bool()> const& cancelled);

// Until the process that runs the endpoint has taken the endpoint's settings that are in the store. Errors: it could not.
Status follow_until_endpoint_has_settings(Cluster const& cluster, std::function<bool()> const& cancelled);

}  // namespace pgtandem::apps
