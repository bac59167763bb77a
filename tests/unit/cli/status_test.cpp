#include "cli/status.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace pgtandem::cli {

namespace {

api::ClusterStatus pair() {
    api::ClusterStatus status;
    status.folder = "/srv/db";
    status.state = "up";
    status.version = "15.20";
    status.durability = "sync";
    status.sync_set = {"node2"};
    status.lost_if_primary_dies = 0;
    api::NodeStatus primary;
    primary.name = "node1";
    primary.role = "primary";
    primary.state = "running";
    primary.port = 6441;
    primary.timeline = 1;
    primary.lsn = "0/3000060";
    primary.uptime_seconds = 61;
    primary.disk_bytes = 40 << 20;
    auto replica = primary;
    replica.name = "node2";
    replica.role = "replica";
    replica.state = "streaming";
    replica.port = 6442;
    replica.lag_bytes = 2048;
    replica.lag_ms = 35;
    replica.sync = "sync";
    replica.slot = "active";
    replica.slot_held_bytes = 0;
    status.nodes = {primary, replica};
    return status;
}

}  // namespace

TEST(RenderStatus, shows_a_summary_and_a_line_for_each_node) {
    EXPECT_EQ(
        render_status(pair()),
        "cluster /srv/db: up, PostgreSQL 15.20, durability sync (commits wait for node2)\n"
        "if the primary died now: 0 B of WAL would be lost\n"
        "\n"
        "NODE   ROLE     STATE      TL  LSN        LAG     LAG TIME  SYNC  SLOT    HOLDS  UPTIME     PORT  DISK\n"
        "node1  primary  running    1   0/3000060  -       -         -     -       -      1 min 1 s  6441  40.0 MB\n"
        "node2  replica  streaming  1   0/3000060  2.0 kB  35 ms     sync  active  0 B    1 min 1 s  6442  40.0 "
        "MB\n");
}

TEST(RenderStatus, says_when_the_primary_goes_on_alone_and_what_is_wrong_where) {
    auto status = pair();
    status.sync_set.clear();
    status.nodes[1].problem = "it gets no WAL from the primary";
    auto const text = render_status(status);
    EXPECT_NE(text.find("(no replica holds commits: the primary goes on alone)"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("\nnode2: it gets no WAL from the primary\n")) << text;
    status.durability = "async";
    EXPECT_EQ(render_status(status).find("holds commits"), std::string::npos);
}

TEST(CollectStatus, of_stopped_servers_asks_nobody_and_says_what_they_are_at) {
    TemporaryFolder const folder;
    api::Topology topology;
    topology.folder = folder.path();
    topology.durability = "sync";
    topology.nodes.resize(2);
    topology.nodes[0].name = "node1";
    topology.nodes[0].is_primary = true;
    topology.nodes[0].process = "stopped";
    topology.nodes[1].name = "node2";
    topology.nodes[1].is_primary = false;
    topology.nodes[1].process = "stopped";
    topology.nodes[1].phase = "clone";
    topology.nodes[1].done_bytes = 1;
    topology.nodes[1].total_bytes = 4;
    topology.nodes[1].error = "no room";
    auto const status = collect_status(topology);
    EXPECT_EQ(status.state, "down");
    EXPECT_TRUE(status.is_degraded);
    EXPECT_FALSE(status.lost_if_primary_dies);
    EXPECT_EQ(status.nodes[0].state, "stopped");
    EXPECT_EQ(status.nodes[1].state, "cloning 25%");
    EXPECT_EQ(status.nodes[1].problem, "no room");
    topology.up_process = 4711;
    EXPECT_EQ(collect_status(topology).state, "up");
}

}  // namespace pgtandem::cli
