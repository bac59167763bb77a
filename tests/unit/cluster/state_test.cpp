#include "cluster/state.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cluster {

namespace {

ClusterState full_state() {
    ClusterState state;
    state.pg_major = 15;
    state.pg_bin = "/usr/lib/postgresql/15/bin";
    state.system_identifier = "7300000000000000001";
    state.durability = Durability::strict;
    state.listen = "*";
    state.port = 65000;
    state.archive_segments = 128;
    state.postgresql = {{"work_mem", "16MB"}};
    state.nodes = {{"node1", {65000}}, {"node2", {65001, 3, false}}, {"node3", {65002, 1, true}}};
    state.primary = "node1";
    return state;
}

Json const primary_key{{"node", "node1"}};

}  // namespace

TEST(ClusterState, is_read_back_as_it_was_written) {
    auto const read = parse_cluster_state(to_json(full_state()), primary_key);
    ASSERT_TRUE(read) << read.error().line();
    EXPECT_EQ(*read, full_state());
}

TEST(ClusterState, refuses_what_it_cannot_mean) {
    struct Case {
        char const* at;
        Json value;
    };
    for (auto const& [at, value] : {Case{"/format", 2},
                                    {"/format", "1"},
                                    {"/pg_major", nullptr},
                                    {"/durability", "often"},
                                    {"/port", "x"},
                                    {"/port", 65536},
                                    {"/port", -1},
                                    {"/port", 6441.5},
                                    {"/archive_segments", -1},
                                    {"/postgresql", 1},
                                    {"/nodes", Json::array()},
                                    {"/nodes", Json::object()},
                                    {"/nodes/node1", 7},
                                    {"/nodes/node2/port", 70000},
                                    {"/nodes/node2/removed", "no"},
                                    {"/nodes/node2/generation", -1}}) {
        auto json = to_json(full_state());
        json[Json::json_pointer(at)] = value;
        auto const read = parse_cluster_state(json, primary_key);
        ASSERT_FALSE(read) << at << " " << value;
        EXPECT_FALSE(read.error().why.empty());
    }
    EXPECT_FALSE(parse_cluster_state(to_json(full_state()), {{"node", "node9"}}));
    EXPECT_FALSE(parse_cluster_state(to_json(full_state()), Json::array()));
    EXPECT_FALSE(parse_cluster_state("text", primary_key));
}

TEST(ClusterState, says_that_a_newer_pgtandem_is_needed) {
    auto json = to_json(full_state());
    json["format"] = 2;
    EXPECT_EQ(parse_cluster_state(json, primary_key).error().hint, "a newer pgtandem");
}

TEST(ClusterState, counts_the_replicas_that_stay) {
    EXPECT_EQ(full_state().replica_count(), 1U);
    EXPECT_EQ(ClusterState{}.replica_count(), 0U);
}

TEST(NextNodeName, is_the_first_that_is_free) {
    ClusterState state;
    EXPECT_EQ(next_node_name(state), "node1");
    state.nodes = {{"node1", {}}, {"node3", {}}, {"other", {}}};
    EXPECT_EQ(next_node_name(state), "node2");
}

TEST(Durability, is_read_back_and_nothing_else_is) {
    for (auto const durability : {Durability::sync, Durability::strict, Durability::async}) {
        EXPECT_EQ(parse_durability(to_string(durability)), durability);
    }
    EXPECT_EQ(parse_durability("Sync").error().kind, ErrorKind::usage);
}

TEST(NodeReport, is_read_back_as_it_was_written) {
    NodeReport const report{"clone", "copies the primary", 1, 2, "e", "h", 3, 0.5, {{"start", 0.25}}, true, 4, 5};
    EXPECT_EQ(parse_node_report(to_json(report)), report);
}

TEST(NodeReport, that_cannot_be_read_says_nothing) {
    for (auto const* text : {"null", "[]", "3", R"({"phase": 3})", R"({"seconds": [1]})", R"({"ready": "yes"})"}) {
        EXPECT_EQ(parse_node_report(Json::parse(text)), NodeReport{}) << text;
    }
    EXPECT_EQ(parse_node_report({{"phase", "watch"}}).phase, "watch");
}

}  // namespace pgtandem::cluster
