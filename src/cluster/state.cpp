#include "cluster/state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgtandem::cluster {

namespace {

constexpr int known_format = 1;

}  // namespace

std::string to_string(Durability durability) {
    switch (durability) {
        case Durability::sync: return "sync";
        case Durability::strict: return "strict";
        case Durability::async: return "async";
    }
    return "";
}

Result<Durability> parse_durability(std::string const& text) {
    for (auto const durability : {Durability::sync, Durability::strict, Durability::async}) {
        if (to_string(durability) == text) return durability;
    }
    return usage_error("reading the setting", "durability", fmt::format("'{}' is not sync, strict or async", text));
}

std::size_t ClusterState::replica_count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        nodes, [&](auto const& entry) { return entry.first != primary && !entry.second.removed; }));
}

std::string next_node_name(ClusterState const& state) {
    for (int number = 1;; ++number) {
        auto name = fmt::format("node{}", number);
        if (!state.nodes.contains(name)) return name;
    }
}

Json to_json(ClusterState const& state) {
    Json nodes = Json::object();
    for (auto const& [name, entry] : state.nodes) {
        nodes[name] = {{"port", entry.port}, {"generation", entry.generation}, {"removed", entry.removed}};
    }
    return {{"format", state.format},
            {"pg_major", state.pg_major},
            {"pg_bin", state.pg_bin},
            {"system_identifier", state.system_identifier},
            {"durability", to_string(state.durability)},
            {"listen", state.listen},
            {"port", state.port},
            {"archive_segments", state.archive_segments},
            {"postgresql", state.postgresql},
            {"nodes", nodes}};
}

Result<ClusterState> parse_cluster_state(Json const& cluster, Json const& primary) {
    try {
        ClusterState state;
        state.format = cluster.at("format").get<int>();
        if (state.format != known_format) {
            return fail("reading the cluster's state", fmt::format("format {}", state.format),
                        "this pgtandem does not know it", "a newer pgtandem");
        }
        state.pg_major = cluster.at("pg_major").get<int>();
        state.pg_bin = cluster.at("pg_bin").get<std::string>();
        state.system_identifier = cluster.at("system_identifier").get<std::string>();
        PGTANDEM_TRY(durability, parse_durability(cluster.at("durability").get<std::string>()));
        state.durability = durability;
        state.listen = cluster.at("listen").get<std::string>();
        state.port = cluster.at("port").get<std::uint16_t>();
        state.archive_segments = cluster.at("archive_segments").get<std::uint64_t>();
        state.postgresql = cluster.at("postgresql").get<std::map<std::string, std::string>>();
        for (auto const& [name, entry] : cluster.at("nodes").items()) {
            state.nodes[name] = {entry.at("port").get<std::uint16_t>(), entry.at("generation").get<int>(),
                                 entry.at("removed").get<bool>()};
        }
        state.primary = primary.at("node").get<std::string>();
        if (!state.nodes.contains(state.primary)) {
            return fail("reading the cluster's state", "primary", "it names no node of the cluster");
        }
        return state;
    } catch (Json::exception const& error) {
        return fail("reading the cluster's state", "store", error.what());
    }
}

Json to_json(NodeReport const& report) {
    return {{"phase", report.phase},
            {"detail", report.detail},
            {"done_bytes", report.done_bytes},
            {"total_bytes", report.total_bytes},
            {"error", report.error},
            {"hint", report.hint},
            {"failures", report.failures},
            {"seconds", report.seconds},
            {"ready", report.ready},
            {"generation", report.generation},
            {"settled_revision", report.settled_revision}};
}

NodeReport parse_node_report(Json const& json) {
    NodeReport report;
    report.phase = json.value("phase", "");
    report.detail = json.value("detail", "");
    report.done_bytes = json.value("done_bytes", std::uint64_t{0});
    report.total_bytes = json.value("total_bytes", std::uint64_t{0});
    report.error = json.value("error", "");
    report.hint = json.value("hint", "");
    report.failures = json.value("failures", 0);
    report.seconds = json.value("seconds", std::map<std::string, double>());
    report.ready = json.value("ready", false);
    report.generation = json.value("generation", 0);
    report.settled_revision = json.value("settled_revision", std::uint64_t{0});
    return report;
}

}  // namespace pgtandem::cluster
