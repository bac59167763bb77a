// The keys "cluster" and "primary" as they stand in the store: {"cluster": ..., "primary": ...}.
#include "cluster/state.hpp"

#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(cluster_state) {
    auto const document = cluster::Json::parse(input, nullptr, false);
    if (!document.is_object() || !document.contains("cluster") || !document.contains("primary")) return;
    auto const state = cluster::parse_cluster_state(document["cluster"], document["primary"]);
    if (!state) return fuzz::require(!state.error().why.empty());
    auto const again = cluster::parse_cluster_state(to_json(*state), {{"node", state->primary}});
    fuzz::require(again && *again == *state);
}
