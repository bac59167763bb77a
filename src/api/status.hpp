// The state of a cluster as facts to be shown: the resource behind `pgtandem status --json`.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace pgtandem::api {

struct NodeStatus {
    std::string name;
    std::string role;   // "primary" or "replica"
    std::string state;  // "running", "streaming", "catching up", "paused", "promoted", "not streaming", "starting",
                        // "stopped", "hangs", "cloning"
    std::uint16_t port = 0;
    std::uint32_t timeline = 0;
    std::string lsn;  // written on the primary, replayed on a replica
    std::optional<std::uint64_t> lag_bytes;
    std::optional<double> lag_ms;
    std::string sync;                              // "sync", "async", or "" on the primary
    std::string slot;                              // "active", "inactive", "lost", "missing", or "" on the primary
    std::optional<std::uint64_t> slot_held_bytes;  // WAL that the slot keeps from being removed
    std::optional<double> uptime_seconds;
    std::uint64_t disk_bytes = 0;
    std::string problem;  // why the state is not the one to expect, or ""
};

struct ClusterStatus {
    std::string folder;
    std::string state;  // "up", "down", or "unattended": servers run, but no pgtandem keeps them running
    int up_process = 0;
    std::string version;  // PostgreSQL's
    std::string system_identifier;
    std::string durability;
    std::vector<std::string> sync_set;
    bool is_degraded = false;                           // durability asks for a replica and none holds commits
    std::optional<std::uint64_t> lost_if_primary_dies;  // bytes of WAL no replica has
    std::vector<NodeStatus> nodes;
};

nlohmann::json to_json(ClusterStatus const& status);

}  // namespace pgtandem::api
