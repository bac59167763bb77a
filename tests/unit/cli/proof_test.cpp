#include "cli/proof.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cli {

using namespace std::chrono_literals;

TEST(DescribeProof, says_where_the_row_was_written_and_where_it_was_read) {
    api::Topology topology;
    topology.nodes.resize(1);
    topology.nodes[0].name = "node1";
    EXPECT_EQ(describe(Proof{2ms, {}}, topology), "a row written on node1 in 2.0 ms");
    EXPECT_EQ(describe(Proof{2ms, {{"node2", 1ms}, {"node3", 20ms}}}, topology),
              "a row written on node1 in 2.0 ms was read on node2 after 1.0 ms, on node3 after 20 ms");
}

}  // namespace pgtandem::cli
