#include "agent/agreed_state.hpp"

namespace pgtandem {

Result<cluster::ClusterState> read_state(Snapshot const& snapshot) {
    auto const cluster = snapshot.keys.find("cluster");
    auto const primary = snapshot.keys.find("primary");
    if (cluster == snapshot.keys.end() || primary == snapshot.keys.end()) {
        return fail("reading the cluster's state", "store", "it holds no cluster");
    }
    return cluster::parse_cluster_state(cluster->second.value, primary->second.value);
}

Status change_state(FileStore const& store, std::function<Status(cluster::ClusterState&)> const& change) {
    for (;;) {
        PGTANDEM_TRY(snapshot, store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        auto const before = state;
        PGTANDEM_CHECK(change(state));
        if (state == before) return {};
        auto const written = store.write({{"cluster", to_json(state)}}, snapshot.revision);
        if (written) return {};
        auto const now = store.read();
        if (!now || now->revision == snapshot.revision) return fail(written.error());
    }
}

}  // namespace pgtandem
