#include "cli/verify.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cli {

using namespace std::chrono_literals;

TEST(RenderCheck, says_what_was_found_and_what_to_try_where_it_failed) {
    EXPECT_EQ(render_check({"node2 streams from node1", true, "0 B behind", "unused", 800us}),
              "ok    node2 streams from node1 (0.8 ms): 0 B behind\n");
    EXPECT_EQ(render_check({"node2 streams", false, "it is stopped", "pgtandem up", 2s}),
              "FAIL  node2 streams (2.0 s): it is stopped\n      try: pgtandem up\n");
    EXPECT_EQ(render_check({"node2 streams", false, "", "", 2s}), "FAIL  node2 streams (2.0 s)\n");
}

}  // namespace pgtandem::cli
