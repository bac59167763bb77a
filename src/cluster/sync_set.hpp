// Which replicas hold every acknowledged commit, by the durability the user chose. Pure.
#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "cluster/state.hpp"

namespace pgtandem::cluster {

// How long a commit waits for a replica that went away before the primary goes on alone, in durability sync.
inline constexpr std::chrono::seconds alone_after{3};

struct ReplicaLink {
    bool is_streaming = false;
    std::chrono::nanoseconds last_streamed_ago{};  // 0 while it streams; the maximum if it never did
};

// The replicas a commit may wait for. Empty: commits wait for nobody.
std::vector<std::string> choose_sync_set(Durability durability, std::map<std::string, ReplicaLink> const& replicas);

// Whether one of these replicas, which say that they stream, is still to come into the set that is agreed on.
bool is_joining(Durability durability, std::vector<std::string> const& streaming, std::vector<std::string> const& agreed);

// synchronous_standby_names for that set: ANY 1 ("node2", "node3"), or "".
std::string synchronous_standby_names(std::vector<std::string> const& names);

}  // namespace pgtandem::cluster
