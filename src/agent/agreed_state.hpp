// The cluster's state in the store: reading it, and changing it so that no other writer's change is lost.
#pragma once
#include <functional>

#include "cluster/state.hpp"
#include "store/file_store.hpp"

namespace pgtandem {

Result<cluster::ClusterState> read_state(Snapshot const& snapshot);

// Reads, changes and writes until no other writer came between. 'change' may be called several times;
// an error of its own leaves the state as it was.
Status change_state(FileStore const& store, std::function<Status(cluster::ClusterState&)> const& change);

}  // namespace pgtandem
