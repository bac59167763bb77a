// Which servers a cluster has and how they are reached: what status, verify and psql work from.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "pg/conninfo.hpp"

namespace pgtandem::api {

struct Node {
    std::string name;
    bool is_primary;
    Conninfo user;   // as the user connects, by TCP
    Conninfo monitor;  // as pgtandem's own role that may look connects, by Unix socket
    Conninfo replication;
    Path data;
    std::string process;  // "stopped", "starting" or "running", by its guard
    std::string phase;    // what its agent is at: "watch", "clone" ...
    std::string error;    // its agent's last failure, if it still stands
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
};

struct Topology {
    Path folder;
    std::vector<Node> nodes;  // the primary first
    std::optional<Conninfo> endpoint{};  // as the user connects to it; nothing where it is not opened
    std::string durability;
    std::vector<std::string> sync_set;  // as agreed in the store
    std::string system_identifier;
    std::map<std::string, std::string> postgresql;  // settings asked for
    int up_process = 0;                             // 0: nobody keeps it running

    Node const& primary() const { return nodes.front(); }
    Node const* find(std::string const& name) const {
        for (auto const& node : nodes) {
            if (node.name == name) return &node;
        }
        return nullptr;
    }
};

}  // namespace pgtandem::api
