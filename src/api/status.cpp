#include "api/status.hpp"

namespace pgtandem::api {

namespace {

using Json = nlohmann::json;

template <class Value>
Json or_null(std::optional<Value> const& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json node_json(NodeStatus const& node) {
    return {{"name", node.name},
            {"role", node.role},
            {"state", node.state},
            {"port", node.port},
            {"timeline", node.timeline},
            {"lsn", node.lsn},
            {"lag_bytes", or_null(node.lag_bytes)},
            {"lag_ms", or_null(node.lag_ms)},
            {"sync", node.sync},
            {"slot", node.slot},
            {"slot_held_bytes", or_null(node.slot_held_bytes)},
            {"uptime_seconds", or_null(node.uptime_seconds)},
            {"disk_bytes", node.disk_bytes},
            {"problem", node.problem}};
}

}  // namespace

Json to_json(ClusterStatus const& status) {
    Json nodes = Json::array();
    for (auto const& node : status.nodes) nodes.push_back(node_json(node));
    return {{"folder", status.folder},
            {"state", status.state},
            {"up_process", status.up_process},
            {"version", status.version},
            {"system_identifier", status.system_identifier},
            {"durability", status.durability},
            {"sync_set", status.sync_set},
            {"is_degraded", status.is_degraded},
            {"lost_if_primary_dies_bytes", or_null(status.lost_if_primary_dies)},
            {"nodes", nodes}};
}

}  // namespace pgtandem::api
