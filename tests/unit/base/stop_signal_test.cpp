#include "base/stop_signal.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace pgtandem {

TEST(StopSignal, is_not_requested_until_it_is_and_then_for_good) {
    StopSignal const stop;
    EXPECT_FALSE(stop.requested());
    EXPECT_FALSE(stop.wait_for(1ms));
    stop.request();
    stop.request();
    EXPECT_TRUE(stop.requested());
    EXPECT_TRUE(stop.wait_until(Deadline::never()));
}

TEST(StopSignal, wakes_the_one_who_waits) {
    StopSignal const stop;
    bool woken = false;
    std::thread waiting([&] { woken = stop.wait_until(Deadline::never()); });
    stop.request();
    waiting.join();
    EXPECT_TRUE(woken);
}

}  // namespace pgtandem
