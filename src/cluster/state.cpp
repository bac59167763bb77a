#include "cluster/state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace pgtandem::cluster {

namespace {

constexpr int known_format = 1;

// A whole number that fits; nlohmann's own get() would cut a larger one down, and take a fraction or a truth value.
template <class Number>
Number whole_number(Json const& json, char const* name) {
    auto const& value = json.at(name);
    constexpr auto most = std::numeric_limits<Number>::max();
    bool const is_whole = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
    if (!is_whole || value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
        throw std::out_of_range(fmt::format("{} is no whole number from 0 to {}", name, most));
    }
    return value.get<Number>();
}

// 0 where it is not there.
template <class Number>
Number count(Json const& json, char const* name) {
    return json.contains(name) ? whole_number<Number>(json, name) : Number{0};
}

Durability durability_of(Json const& json) {
    auto const durability = parse_durability(json.get<std::string>());
    if (!durability) throw std::invalid_argument(durability.error().line());
    return *durability;
}

ClusterState state_of(Json const& cluster) {
    ClusterState state;
    state.pg_major = whole_number<int>(cluster, "pg_major");
    state.pg_bin = cluster.at("pg_bin").get<std::string>();
    state.system_identifier = cluster.at("system_identifier").get<std::string>();
    state.durability = durability_of(cluster.at("durability"));
    state.listen = cluster.at("listen").get<std::string>();
    state.port = whole_number<std::uint16_t>(cluster, "port");
    state.archive_segments = whole_number<std::uint64_t>(cluster, "archive_segments");
    state.postgresql = cluster.at("postgresql").get<std::map<std::string, std::string>>();
    // Clusters made before there was an endpoint have none of its settings.
    state.endpoint = cluster.value("endpoint", std::map<std::string, std::string>());
    for (auto const& [name, entry] : cluster.at("nodes").items()) {
        state.nodes[name] = {whole_number<std::uint16_t>(entry, "port"), whole_number<int>(entry, "generation"),
                             entry.at("removed").get<bool>()};
    }
    return state;
}

NodeReport report_of(Json const& json) {
    NodeReport report;
    report.phase = json.value("phase", "");
    report.detail = json.value("detail", "");
    report.done_bytes = count<std::uint64_t>(json, "done_bytes");
    report.total_bytes = count<std::uint64_t>(json, "total_bytes");
    report.error = json.value("error", "");
    report.hint = json.value("hint", "");
    report.failures = count<int>(json, "failures");
    report.pause_seconds = json.value("pause_seconds", 0.0);
    report.seconds = json.value("seconds", std::map<std::string, double>());
    report.ready = json.value("ready", false);
    report.generation = count<int>(json, "generation");
    report.settled_revision = count<std::uint64_t>(json, "settled_revision");
    return report;
}

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
            {"endpoint", state.endpoint},
            {"nodes", nodes}};
}

Result<ClusterState> parse_cluster_state(Json const& cluster, Json const& primary) {
    try {
        auto const format = whole_number<int>(cluster, "format");
        if (format != known_format) {
            return fail("reading the cluster's state", fmt::format("format {}", format),
                        "this pgtandem does not know it", "a newer pgtandem");
        }
        auto state = state_of(cluster);
        state.primary = primary.at("node").get<std::string>();
        if (!state.nodes.contains(state.primary)) {
            return fail("reading the cluster's state", "primary", "it names no node of the cluster");
        }
        return state;
    } catch (std::exception const& error) {
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
            {"pause_seconds", report.pause_seconds},
            {"seconds", report.seconds},
            {"ready", report.ready},
            {"generation", report.generation},
            {"settled_revision", report.settled_revision}};
}

NodeReport parse_node_report(Json const& json) {
    try {
        return report_of(json);
    } catch (std::exception const&) {
        return {};
    }
}

}  // namespace pgtandem::cluster
