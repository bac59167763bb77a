// `pgtandem status`: asks every server, shows a table.
#pragma once
#include <string>

#include "api/status.hpp"
#include "api/topology.hpp"

namespace pgtandem::cli {

// Never fails: what does not answer is shown as such.
api::ClusterStatus collect_status(api::Topology const& topology);
std::string render_status(api::ClusterStatus const& status);

}  // namespace pgtandem::cli
