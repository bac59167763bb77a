#include "api/topology.hpp"

#include <gtest/gtest.h>

namespace pgtandem::api {

TEST(Topology, finds_its_nodes_by_name_and_has_the_primary_first) {
    Topology topology;
    topology.nodes.resize(2);
    topology.nodes[0].name = "node1";
    topology.nodes[1].name = "node2";
    EXPECT_EQ(topology.primary().name, "node1");
    EXPECT_EQ(topology.find("node2"), &topology.nodes[1]);
    EXPECT_EQ(topology.find("node3"), nullptr);
}

}  // namespace pgtandem::api
