#include "proxy/fence_run.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

using Next = FenceRun::Next;

struct World {
    std::atomic<bool> unflushed{false};
    Samples samples{unflushed};
    ReplicaWishes wishes;
    FenceRun run;

    Next next(std::uint64_t epoch = 1) { return run.next(samples, wishes, epoch); }
    void sample(Snapshot shown, std::uint64_t epoch = 1) { samples.publish({samples.last_ticket(), epoch, 0, 0, std::move(shown)}); }
};

TEST(FenceRun, AsksWhereAFenceIsWantedAndASampleHasComeSince) {
    World world;
    EXPECT_EQ(world.next(), Next::nothing);
    auto const ticket = world.samples.take_fence(world.wishes);
    EXPECT_EQ(world.next(), Next::changed);
    EXPECT_TRUE(world.samples.is_wanted());
    EXPECT_EQ(world.next(), Next::nothing);
    world.sample({745, {741}});
    EXPECT_EQ(world.next(), Next::question);
    EXPECT_EQ(world.run.question(world.samples), "'{741}', 745");
    EXPECT_EQ(world.run.take_answer(745, {}, world.samples, world.wishes), Next::fenced);
    EXPECT_TRUE(world.wishes.is_fenced(ticket));
    EXPECT_EQ(world.next(), Next::nothing);
}

TEST(FenceRun, WaitsForWhatTheReplicaShowsAndCoversNobodyWhoCameSince) {
    World world;
    auto const first = world.samples.take_fence(world.wishes);
    world.next();
    world.sample({745, {741}});
    auto const second = world.samples.take_fence(world.wishes);
    world.next();
    world.run.question(world.samples);
    EXPECT_EQ(world.run.take_answer(745, {741}, world.samples, world.wishes), Next::changed);
    world.sample({745, {741}});
    EXPECT_EQ(world.next(), Next::changed);
    EXPECT_FALSE(world.wishes.is_fenced(first));
    world.sample({745, {}});
    EXPECT_EQ(world.next(), Next::fenced);
    EXPECT_TRUE(world.wishes.is_fenced(first));
    EXPECT_FALSE(world.wishes.is_fenced(second));
    EXPECT_EQ(world.next(), Next::changed);
}

TEST(FenceRun, SamplesOfAnotherPrimaryAndFailuresAreAskedForAgain) {
    World world;
    world.samples.take_fence(world.wishes);
    world.next();
    world.sample({745, {}}, 1);
    EXPECT_EQ(world.next(2), Next::changed);
    EXPECT_EQ(world.next(2), Next::nothing);
    world.sample({745, {}}, 2);
    EXPECT_EQ(world.next(2), Next::question);
    world.run.take_failure(world.samples);
    EXPECT_EQ(world.next(2), Next::nothing);
    EXPECT_TRUE(world.samples.is_wanted());
}

}  // namespace
}  // namespace pgtandem::proxy
