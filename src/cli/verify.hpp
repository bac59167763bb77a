// `pgtandem verify`: is the cluster what it should be? One check after the other, each by doing or asking.
#pragma once
#include <functional>
#include <vector>

#include "api/check.hpp"
#include "api/topology.hpp"

namespace pgtandem::cli {

// Calls 'on_check' as each check ends, and gives them all.
std::vector<api::Check> verify(api::Topology const& topology, std::function<void(api::Check const&)> const& on_check);

// "ok    node2 streams from node1 (0.8 ms): ..." with a "try:" line where it failed.
std::string render_check(api::Check const& check);

}  // namespace pgtandem::cli
