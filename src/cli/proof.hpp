// The proof that a cluster replicates: a table made and a row written on the primary,
// as the user, read on every replica.
#pragma once
#include <chrono>
#include <map>
#include <string>

#include "api/topology.hpp"
#include "base/deadline.hpp"
#include "base/result.hpp"

namespace pgtandem::cli {

struct Proof {
    std::chrono::nanoseconds write_took;                         // CREATE TABLE and INSERT with their commit
    std::map<std::string, std::chrono::nanoseconds> read_after;  // for each replica, since the commit was acknowledged
};

// The table is dropped again, also when a replica does not show it in time.
Result<Proof> prove_replication(api::Topology const& topology, Deadline deadline);

// "a row written on node1 in 2.1 ms was read on node2 after 0.8 ms"
std::string describe(Proof const& proof, api::Topology const& topology);

}  // namespace pgtandem::cli
