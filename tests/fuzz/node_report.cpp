// What a node says of itself, as it stands in the store.
#include "cluster/state.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

PGTANDEM_FUZZ_TARGET(node_report) {
    auto const document = cluster::Json::parse(input, nullptr, false);
    if (document.is_discarded()) return;
    auto const report = cluster::parse_node_report(document);
    fuzz::require(cluster::parse_node_report(to_json(report)) == report);
}
