#include "io/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace pgtandem::io {

namespace {
auto const far = Clock::time_point::max();
}

TEST(TimerQueue, expires_each_once_and_in_order) {
    TimerQueue queue;
    std::vector<int> expired;
    std::vector<std::unique_ptr<QueuedTimer>> timers;
    for (int number = 0; number < 5000; ++number)
        timers.push_back(std::make_unique<QueuedTimer>(queue, [&expired, number] { expired.push_back(number); }));
    std::vector<int> order(timers.size());
    for (std::size_t at = 0; at < order.size(); ++at) order[at] = static_cast<int>(at);
    std::shuffle(order.begin(), order.end(), std::mt19937(1));
    for (int const number : order) timers[static_cast<std::size_t>(number)]->start(1h + std::chrono::seconds(number));
    queue.expire(Clock::now());
    EXPECT_TRUE(expired.empty());
    queue.expire(Clock::now() + 24h);
    EXPECT_EQ(expired.size(), timers.size());
    EXPECT_TRUE(std::is_sorted(expired.begin(), expired.end()));
    EXPECT_EQ(queue.next(), far);
}

TEST(TimerQueue, a_stopped_timer_does_not_expire) {
    TimerQueue queue;
    QueuedTimer timer(queue, [] { FAIL(); });
    timer.start(1s);
    timer.stop();
    EXPECT_FALSE(timer.is_running());
    queue.expire(Clock::now() + 1h);
}

TEST(TimerQueue, a_timer_started_again_expires_at_its_new_time_only) {
    TimerQueue queue;
    int later = 0;
    int sooner = 0;
    QueuedTimer put_off(queue, [&] { ++later; });
    QueuedTimer brought_forward(queue, [&] { ++sooner; });
    put_off.start(1s);
    put_off.start(1h);
    brought_forward.start(1h);
    brought_forward.start(1s);
    queue.expire(Clock::now() + 1min);
    EXPECT_EQ(later, 0);
    EXPECT_EQ(sooner, 1);
    EXPECT_GT(queue.next(), Clock::now() + 59min);
    queue.expire(Clock::now() + 2h);
    EXPECT_EQ(later, 1);
    EXPECT_EQ(sooner, 1);
}

TEST(TimerQueue, a_timer_can_be_destroyed_and_started_while_it_expires) {
    TimerQueue queue;
    int count = 0;
    std::unique_ptr<QueuedTimer> destroyed;
    destroyed = std::make_unique<QueuedTimer>(queue, [&] {
        destroyed.reset();
        ++count;
    });
    std::unique_ptr<QueuedTimer> again;
    again = std::make_unique<QueuedTimer>(queue, [&] {
        if (++count < 3) again->start(5h);
    });
    destroyed->start(1s);
    again->start(2s);
    queue.expire(Clock::now() + 1h);
    EXPECT_EQ(count, 2);
    EXPECT_TRUE(again->is_running());
    queue.expire(Clock::now() + 6h);
    EXPECT_EQ(count, 3);
}

TEST(TimerQueue, stays_in_order_when_timers_in_its_middle_are_destroyed) {
    TimerQueue queue;
    std::vector<int> expired;
    std::vector<std::unique_ptr<QueuedTimer>> timers;
    std::mt19937 random(2);
    for (int number = 0; number < 1000; ++number) {
        auto const seconds = static_cast<int>(random() % 3000);
        timers.push_back(std::make_unique<QueuedTimer>(queue, [&expired, seconds] { expired.push_back(seconds); }));
        timers.back()->start(1h + std::chrono::seconds(seconds));
    }
    std::shuffle(timers.begin(), timers.end(), random);
    timers.resize(500);
    queue.expire(Clock::now() + 24h);
    EXPECT_EQ(expired.size(), 500U);
    EXPECT_TRUE(std::is_sorted(expired.begin(), expired.end()));
}

}  // namespace pgtandem::io
