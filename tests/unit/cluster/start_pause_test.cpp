#include "cluster/start_pause.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cluster {

using namespace std::chrono_literals;

TEST(StartPause, a_first_crash_costs_no_time_and_starts_that_come_to_nothing_grow_rare) {
    EXPECT_EQ(pause_before_start(0), 0ms);
    EXPECT_EQ(pause_before_start(1), 0ms);
    EXPECT_EQ(pause_before_start(2), 200ms);
    EXPECT_EQ(pause_before_start(3), 400ms);
    for (int lives = 2; lives < 100; ++lives) {
        EXPECT_GE(pause_before_start(lives + 1), pause_before_start(lives));
        EXPECT_LE(pause_before_start(lives), longest_start_pause);
    }
    EXPECT_EQ(pause_before_start(1'000'000), longest_start_pause);
}

}  // namespace pgtandem::cluster
