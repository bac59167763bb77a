#include "cluster/sync_set.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "pg/quoting.hpp"

namespace pgtandem::cluster {

std::vector<std::string> choose_sync_set(Durability durability, std::map<std::string, ReplicaLink> const& replicas) {
    std::vector<std::string> names;
    if (durability == Durability::async) return names;
    for (auto const& [name, link] : replicas) {
        bool const counts = link.is_streaming || link.last_streamed_ago < alone_after;
        if (counts || durability == Durability::strict) names.push_back(name);
    }
    // strict keeps every replica in the set for ever; but before any has streamed
    // there is nothing a commit could wait for.
    bool const any_ever = std::ranges::any_of(replicas, [](auto const& entry) {
        return entry.second.is_streaming || entry.second.last_streamed_ago != std::chrono::nanoseconds::max();
    });
    if (durability == Durability::strict && !any_ever) names.clear();
    return names;
}

bool is_joining(Durability durability, std::vector<std::string> const& streaming,
                std::vector<std::string> const& agreed) {
    if (durability == Durability::async) return false;
    return std::ranges::any_of(
        streaming, [&](auto const& name) { return std::ranges::find(agreed, name) == agreed.end(); });
}

std::string synchronous_standby_names(std::vector<std::string> const& names) {
    if (names.empty()) return {};
    std::vector<std::string> quoted;
    for (auto const& name : names) quoted.push_back(quoted_identifier(name));
    return "ANY 1 (" + join(quoted, ", ") + ")";
}

}  // namespace pgtandem::cluster
