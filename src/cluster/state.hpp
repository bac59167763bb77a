// What the cluster is to be, as agreed in the store: the keys "cluster" and "primary", and what each node reports.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace pgtandem::cluster {

using Json = nlohmann::json;

enum class Durability {
    sync,    // a commit waits for a replica; with none left the primary goes on alone
    strict,  // a commit always waits for a replica
    async,   // a commit waits for nobody
};

std::string to_string(Durability durability);
Result<Durability> parse_durability(std::string const& text);

struct NodeEntry {
    std::uint16_t port = 0;
    int generation = 1;    // raised to have the replica made anew
    bool removed = false;  // to be taken away
    bool operator==(NodeEntry const&) const = default;
};

struct ClusterState {
    int format = 1;
    int pg_major = 0;
    std::string pg_bin{};             // where the user said the programs are; empty: found
    std::string system_identifier{};  // empty until the primary has been made
    Durability durability = Durability::sync;
    std::string listen = "127.0.0.1";
    std::uint16_t port = 6441;  // the first node's; each further node takes the next that is free
    std::uint64_t archive_segments = 64;
    std::map<std::string, std::string> postgresql{};  // --set
    std::map<std::string, std::string> endpoint{};    // the endpoint's settings that are not the defaults
    std::map<std::string, NodeEntry> nodes{};
    std::string primary{};  // kept under a key of its own

    std::size_t replica_count() const;  // those not being removed
    bool operator==(ClusterState const&) const = default;
};

// The first node's name that is free: node1, node2, ...
std::string next_node_name(ClusterState const& state);

Json to_json(ClusterState const& state);
Result<ClusterState> parse_cluster_state(Json const& cluster, Json const& primary);

// What a node's agent says of it; not durable.
struct NodeReport {
    std::string phase{};   // an intent's name: "clone", "start", "watch" ...
    std::string detail{};  // the rule's sentence
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
    std::string error{};  // the last attempt's, until one succeeds
    std::string hint{};
    int failures = 0;                         // attempts in a row that failed
    double pause_seconds = 0;                 // before its server is started again, where starts come to nothing
    std::map<std::string, double> seconds{};  // how long each step took
    bool ready = false;                       // runs as it should: the primary takes writes, the replica streams
    int generation = 0;                       // of the data it runs with
    std::uint64_t settled_revision = 0;       // of the key "cluster" whose settings are in effect
    bool operator==(NodeReport const&) const = default;
};

Json to_json(NodeReport const& report);
// What cannot be read says nothing: the node says it anew.
NodeReport parse_node_report(Json const& json);

}  // namespace pgtandem::cluster
