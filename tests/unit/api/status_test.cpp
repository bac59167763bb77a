#include "api/status.hpp"

#include <gtest/gtest.h>

namespace pgtandem::api {

namespace {

std::vector<std::string> names_of(nlohmann::json const& json) {
    std::vector<std::string> names;
    for (auto const& [name, value] : json.items()) names.push_back(name);
    return names;
}

}  // namespace

TEST(StatusJson, has_every_fact_and_null_where_one_is_not_known) {
    ClusterStatus status;
    status.folder = "/srv/db";
    status.state = "up";
    status.sync_set = {"node2"};
    auto& node = status.nodes.emplace_back();
    node.name = "node1";
    node.lag_bytes = 0;
    auto const json = to_json(status);
    EXPECT_EQ(json.at("folder"), "/srv/db");
    EXPECT_EQ(json.at("sync_set"), nlohmann::json::array({"node2"}));
    EXPECT_TRUE(json.at("lost_if_primary_dies_bytes").is_null());
    EXPECT_EQ(json.at("nodes").at(0).at("lag_bytes"), 0);
    EXPECT_TRUE(json.at("nodes").at(0).at("lag_ms").is_null());
}

TEST(StatusJson, names_are_those_that_users_scripts_know) {
    ClusterStatus status;
    status.nodes.emplace_back();
    auto const json = to_json(status);
    EXPECT_EQ(names_of(json),
              (std::vector<std::string>{"durability", "folder", "is_degraded", "lost_if_primary_dies_bytes", "nodes",
                                        "state", "sync_set", "system_identifier", "up_process", "version"}));
    EXPECT_EQ(names_of(json.at("nodes").at(0)),
              (std::vector<std::string>{"disk_bytes", "lag_bytes", "lag_ms", "lsn", "name", "port", "problem", "role",
                                        "slot", "slot_held_bytes", "state", "sync", "timeline", "uptime_seconds"}));
}

}  // namespace pgtandem::api
