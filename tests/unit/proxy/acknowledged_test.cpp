#include "proxy/acknowledged.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace pgtandem::proxy {
namespace {

constexpr std::uint64_t here = 0;

struct World {
    std::unique_ptr<Acknowledged> known = std::make_unique<Acknowledged>();
    std::uint64_t of(std::vector<std::uint64_t> relations, std::uint64_t database = here) const { return known->last_of({false, std::move(relations)}, database); }
};

TEST(Acknowledged, CountsByRelations) {
    World world;
    EXPECT_EQ(world.of({1}), 0U);
    world.known->note({false, {1, 2}}, here, false);
    world.known->note({false, {3}}, here, false);
    EXPECT_EQ(world.known->last(), 2U);
    EXPECT_EQ(world.of({1}), 1U);
    EXPECT_EQ(world.of({2, 3}), 2U);
    EXPECT_EQ(world.of({4}), 0U);
    EXPECT_EQ(world.of({}), 0U);
    EXPECT_EQ(world.known->last_of(sql::Touched::all(), here), 2U);
}

TEST(Acknowledged, WhatIsNotKnownCountsForAll) {
    World world;
    world.known->note(sql::Touched::all(), here, true);
    EXPECT_EQ(world.of({4}), 1U);
    EXPECT_EQ(world.of({}), 1U);
    EXPECT_EQ(world.of({4}, 99), 1U);
    EXPECT_EQ(world.known->last_without_flush(), 1U);
}

TEST(Acknowledged, RelationsOfAnotherDatabaseAreOthers) {
    World world;
    world.known->note({false, {1}}, 16, false);
    EXPECT_EQ(world.of({1}, 16), 1U);
    EXPECT_EQ(world.of({1}, 32), 0U);
}

TEST(Acknowledged, AnotherProcessThatHasEndedMayHaveAcknowledgedAnything) {
    World world;
    EXPECT_FALSE(world.known->is_shared());
    world.known->set_other(Acknowledged::Other::former, true);
    world.known->set_other(Acknowledged::Other::next, true);
    world.known->set_other(Acknowledged::Other::former, false);
    EXPECT_TRUE(world.known->is_shared());
    world.known->set_other(Acknowledged::Other::next, false);
    world.known->set_other(Acknowledged::Other::next, false);
    EXPECT_FALSE(world.known->is_shared());
    EXPECT_EQ(world.of({1}), 2U);
}

TEST(Acknowledged, ByManyThreadsNoneIsLost) {
    World world;
    std::vector<std::thread> threads;
    for (std::uint64_t number = 0; number < 4; ++number) {
        threads.emplace_back([&world, number] {
            for (int count = 0; count < 1000; ++count) world.known->note({false, {number % 2}}, here, false);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(world.known->last(), 4000U);
    EXPECT_EQ(std::max(world.of({0}), world.of({1})), 4000U);
}

}  // namespace
}  // namespace pgtandem::proxy
