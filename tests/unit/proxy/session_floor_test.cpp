#include "proxy/session_floor.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support/server_entry.hpp"

namespace pgtandem::proxy {
namespace {

// A primary and two replicas, and one session; the clock goes as told.
struct World {
    Routing routing{1, 1, {server("p", true), server("a", false), server("b", false)}, true};
    std::atomic<bool> unflushed{false};
    Samples samples{unflushed};
    SessionFloor floor;
    ReadRules rules;
    std::uint64_t acknowledged = 0;
    Clock::time_point now = Clock::now();

    ServerPosition& a() { return *routing.servers[1].position; }
    ServerPosition& b() { return *routing.servers[2].position; }
    void replayed(std::uint64_t by_a, std::uint64_t by_b) {
        a().set_replayed(by_a);
        b().set_replayed(by_b);
    }
    void sample(std::uint64_t flushed, std::uint64_t inserted = 0) {
        samples.publish({samples.last_ticket(), routing.epoch, flushed, std::max(flushed, inserted), {}, acknowledged});
    }
    void fence() {
        for (auto const& server : routing.servers) samples.of(*server.position).fenced = samples.of(*server.position).last_fence;
    }
    // The name of where the next read goes; "wait".
    std::string next(Patience patience = Patience::all) {
        auto const choice = floor.choose(routing, samples, rules, now, patience);
        return choice.must_wait ? "wait" : choice.server == nullptr ? "nowhere" : choice.server->name;
    }
    // All places where it may go, as time goes by and samples come.
    std::set<std::string> places(std::uint64_t flushed) {
        std::set<std::string> found;
        for (int step = 0; step < 60; ++step) {
            now += std::chrono::milliseconds(2100);
            auto name = next();
            for (int more = 0; more < 2 && name == "wait"; ++more) {
                sample(flushed);
                fence();
                name = next();
            }
            found.insert(name);
        }
        return found;
    }
};

TEST(SessionFloor, ReadsAreSharedByAllAndStayForAWhile) {
    World world;
    world.replayed(100, 100);
    EXPECT_EQ(world.places(100), (std::set<std::string>{"p", "a", "b"}));
    auto const home = world.next();
    for (int count = 0; count < 10; ++count) EXPECT_EQ(world.next(), home);
}

TEST(SessionFloor, AServerIsLeftSoonerWhereAnotherHasClearlyLessToDo) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 100);
    auto const home = world.next();
    auto& here = home == "a" ? world.a() : world.b();
    auto& there = home == "a" ? world.b() : world.a();
    here.in_use = 5;
    there.in_use = 2;
    for (int step = 0; step < 5; ++step) {
        world.now += std::chrono::milliseconds(250);
        EXPECT_EQ(world.next(), home);
    }
    here.in_use = 6;
    world.now += std::chrono::milliseconds(250);
    EXPECT_EQ(world.next(), "wait");
    world.sample(100);
    EXPECT_NE(world.next(), home);
}

TEST(SessionFloor, AReplicaThatFallsBehindIsLeftForOneThatDoesNot) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 100);
    auto const home = world.next();
    (home == "a" ? world.a() : world.b()).set_lag(std::chrono::milliseconds(100));
    world.now += std::chrono::milliseconds(250);
    EXPECT_EQ(world.next(), "wait");
    world.sample(120);
    (home == "a" ? world.b() : world.a()).set_replayed(120);
    EXPECT_NE(world.next(), home);
}

TEST(SessionFloor, WhoLeavesWaitsAMomentForTheNextServer) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 90);
    world.floor.raise("1:0/64", world.routing);
    EXPECT_EQ(world.next(), "a");
    world.a().in_use = 9;
    world.now += std::chrono::milliseconds(250);
    EXPECT_EQ(world.next(), "wait");
    world.sample(120);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.samples.of(world.b()).replayed, 120U);
    EXPECT_EQ(world.next(Patience::fences), "a");  // it took too long
    world.now += std::chrono::milliseconds(250);
    EXPECT_EQ(world.next(), "wait");
    world.sample(130);
    world.b().set_replayed(130);
    EXPECT_EQ(world.next(), "b");
}

TEST(SessionFloor, ASessionThatOnlyWritesAsksForNoSamples) {
    World world;
    world.replayed(100, 100);
    for (int count = 0; count < 10; ++count) world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.samples.last_ticket(), 1U);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.samples.last_ticket(), 2U);
    // It reads after its writes again.
    world.sample(100);
    EXPECT_NE(world.next(), "wait");
    world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.samples.last_ticket(), 3U);
}

// Reads that others make on replicas, until the primary is to have more.
void give_room(World& world) {
    auto& residents = world.samples.residents();
    while (!residents.include(0.99)) {
        while (!residents.is_to_adapt()) residents.count_read(false);
        residents.adapt(1);
    }
}

TEST(SessionFloor, WhoWritesReadsOnThePrimaryWhereThatHasRoom) {
    World world;
    world.replayed(100, 100);
    give_room(world);
    world.floor.wrote(world.routing, &world.samples, false, false);
    for (int count = 0; count < 100; ++count) {
        EXPECT_EQ(world.next(), "p");
        world.floor.wrote(world.routing, &world.samples, false, false);
    }
    EXPECT_EQ(world.samples.last_ticket(), 1U);  // it asks for nothing while it stays
}

TEST(SessionFloor, WhoStayedOnThePrimaryTakesAlongAllThatItReadThere) {
    World world;
    world.replayed(100, 100);
    give_room(world);
    world.floor.wrote(world.routing, &world.samples, false, false);
    world.sample(110);
    EXPECT_EQ(world.next(), "p");
    // This sample was before the read.
    world.rules.wants_replica = true;
    world.replayed(110, 110);
    EXPECT_EQ(world.next(), "wait");
    world.sample(120);
    EXPECT_EQ(world.next(), "wait");
    world.a().set_replayed(120);
    EXPECT_EQ(world.next(), "a");
    world.rules.wants_replica = false;
    EXPECT_EQ(world.next(), "a");
}

TEST(SessionFloor, ReadsThatAreToBeStrictOrMayBeLateDoNotStayForTheirWrites) {
    World world;
    world.replayed(100, 100);
    give_room(world);
    world.floor.wrote(world.routing, &world.samples, false, false);
    world.rules.consistency = Consistency::strict;
    EXPECT_EQ(world.next(), "wait");
    world.rules.consistency = Consistency::session;
    EXPECT_EQ(world.next(), "p");
}

TEST(SessionFloor, AfterAWriteOnlyThoseThatHaveItMayServe) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 100);
    world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.next(), "wait");
    world.sample(200);
    EXPECT_EQ(world.next(), "wait");  // none has it, and both are near
    EXPECT_EQ(world.samples.of(world.a()).replayed, 200U);
    world.b().set_replayed(200);
    EXPECT_EQ(world.next(), "b");
    world.a().set_lag(std::chrono::seconds(1));
    EXPECT_EQ(world.places(200), (std::set<std::string>{"b"}));
}

TEST(SessionFloor, ASampleThatBeganBeforeTheWriteIsNotEnough) {
    World world;
    world.replayed(500, 500);
    world.sample(100);
    world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.next(Patience::none), "p");
    EXPECT_EQ(world.next(), "wait");  // the sample is still owed
}

TEST(SessionFloor, CommitsWithoutAFlushCountAsFarAsTheyWereInserted) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(200, 200);
    world.floor.wrote(world.routing, &world.samples, false, true);
    world.sample(200, 300);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.samples.of(world.a()).replayed, 300U);
}

TEST(SessionFloor, LeavingAReplicaNeedsWhatItMayHaveShown) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 90);
    world.floor.choose(world.routing, world.samples, world.rules, world.now, Patience::all);
    // Wherever it went first, the other one is behind the sample: it stays.
    auto const home = world.next();
    auto& other = home == "a" ? world.b() : world.a();
    other.set_lag(std::chrono::seconds(1));
    EXPECT_EQ(world.places(150), (std::set<std::string>{home}));
    other.set_lag(std::chrono::seconds(0));
    world.replayed(150, 150);
    EXPECT_EQ(world.places(150), (std::set<std::string>{"a", "b"}));
}

TEST(SessionFloor, WhatAReplicaHasShownThePrimaryShowsOnlyBehindAFence) {
    World world;
    world.replayed(100, 100);
    world.rules.wants_replica = true;
    EXPECT_NE(world.next(), "p");
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.fence();
    EXPECT_TRUE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.rules.consistency = Consistency::eventual;
    EXPECT_NE(world.next(), "wait");
    EXPECT_TRUE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
}

TEST(SessionFloor, ReplicasThatAreFarBehindAreNotWaitedFor) {
    World world;
    world.replayed(100, 100);
    world.a().set_lag(std::chrono::seconds(3));
    world.b().set_lag(std::chrono::seconds(3));
    world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.next(), "p");
    EXPECT_EQ(world.places(200), (std::set<std::string>{"p"}));
}

TEST(SessionFloor, NobodyReadsOnAReplicaThatIsSilentAvoidedOrBehindTheBound) {
    World world;
    world.replayed(100, 100);
    world.rules.max_lag = std::chrono::milliseconds(1000);
    world.a().begin_question(world.now - std::chrono::seconds(1));
    world.b().set_lag(std::chrono::milliseconds(1001));
    EXPECT_EQ(world.next(), "p");
    world.rules.consistency = Consistency::eventual;
    EXPECT_TRUE((std::set<std::string>{"p", "b"}).contains(world.next()));
    world.b().avoid_until(world.now + std::chrono::seconds(1));
    EXPECT_EQ(world.next(), "p");
}

TEST(SessionFloor, StrictReadsWaitForASampleEachTime) {
    World world;
    world.rules.consistency = Consistency::strict;
    world.rules.wants_replica = true;
    world.replayed(100, 100);
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(world.next(), "wait");
        world.sample(100);
        EXPECT_NE(world.next(), "wait");
    }
}

TEST(SessionFloor, AStrictReadDoesNotTakeTheSampleOfAnOwnWrite) {
    World world;
    world.rules.wants_replica = true;
    world.rules.consistency = Consistency::strict;
    world.replayed(100, 100);
    world.floor.wrote(world.routing, &world.samples, false, false);
    world.sample(100);
    // Somebody else may have written since.
    EXPECT_EQ(world.next(), "wait");
    world.sample(110);
    EXPECT_EQ(world.next(), "wait");
    world.replayed(110, 90);
    EXPECT_EQ(world.next(), "a");
}

TEST(SessionFloor, AFenceCoversWhatWasReadBeforeItOnly) {
    World world;
    world.routing.servers[2].is_usable = false;
    world.rules.wants_replica = true;
    world.replayed(100, 0);
    EXPECT_EQ(world.next(), "a");
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.fence();
    EXPECT_TRUE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.floor.wrote(world.routing, &world.samples, false, false);
    world.sample(110);
    EXPECT_EQ(world.next(), "wait");
    world.replayed(110, 0);
    EXPECT_EQ(world.next(), "a");
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
}

TEST(SessionFloor, AReadThatHasWaitedEnoughGoesToThePrimaryBehindAFenceStill) {
    World world;
    world.replayed(100, 100);
    world.rules.wants_replica = true;
    EXPECT_NE(world.next(), "wait");
    world.floor.raise("1:0/C8", world.routing);
    EXPECT_EQ(world.next(Patience::fences), "wait");
    world.fence();
    EXPECT_EQ(world.next(Patience::fences), "p");
}

TEST(SessionFloor, NoFenceIsAskedOfAReplicaThatAnswersNoMore) {
    World world;
    world.routing.servers[2].is_usable = false;
    world.replayed(100, 0);
    world.rules.wants_replica = true;
    EXPECT_EQ(world.next(), "a");
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.routing.servers[1].is_usable = false;
    EXPECT_TRUE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
}

TEST(SessionFloor, AnotherPrimaryIsAskedAnew) {
    World world;
    world.replayed(100, 100);
    world.floor.wrote(world.routing, &world.samples, false, false);
    world.sample(100);
    EXPECT_NE(world.next(), "wait");
    world.routing.epoch = 2;
    EXPECT_EQ(world.next(), "wait");
    // A sample of the former primary says nothing of this one.
    world.samples.publish({world.samples.last_ticket(), 1, 100, 100, {}});
    EXPECT_EQ(world.next(), "wait");
    world.sample(100);
    // What a replica has shown may be of the new primary already.
    EXPECT_EQ(world.next(), "wait");
    world.fence();
    EXPECT_NE(world.next(), "wait");
}

TEST(SessionFloor, WritesWithoutReplicasAreNotForgotten) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(50, 50);
    world.floor.wrote(world.routing, nullptr, false, false);
    EXPECT_EQ(world.next(), "wait");
    world.sample(60);
    EXPECT_EQ(world.next(), "wait");
    world.a().set_replayed(60);
    EXPECT_EQ(world.next(), "a");
}

TEST(SessionFloor, TravelsAsText) {
    World world;
    EXPECT_EQ(world.floor.text(world.routing, world.samples), "1:0/0");
    world.floor.wrote(world.routing, &world.samples, false, false);
    EXPECT_EQ(world.floor.text(world.routing, world.samples), std::nullopt);
    world.sample(0x3000148);
    EXPECT_EQ(world.floor.text(world.routing, world.samples), "1:0/3000148");
    World other;
    other.rules.wants_replica = true;
    other.replayed(0x3000148, 1);
    EXPECT_TRUE(other.floor.raise("1:0/3000148", other.routing));
    EXPECT_EQ(other.next(), "a");
    for (auto const* bad : {"", "1", ":0/1", "x:0/1", "1:0", "1:0/1x"}) EXPECT_FALSE(other.floor.raise(bad, other.routing)) << bad;
    // Of a timeline that is not this one: the primary is asked what there is of it.
    EXPECT_TRUE(other.floor.raise("9:0/1", other.routing));
    EXPECT_EQ(other.next(), "wait");
}

TEST(SessionFloor, WhatIsHandedOverCoversWhatWasReadAndIsShownByThePrimary) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 100);
    EXPECT_NE(world.next(), "wait");
    EXPECT_EQ(world.floor.text(world.routing, world.samples), std::nullopt);
    world.sample(0x70);
    EXPECT_EQ(world.floor.text(world.routing, world.samples), std::nullopt);
    world.fence();
    EXPECT_EQ(world.floor.text(world.routing, world.samples), "1:0/70");
}

TEST(SessionFloor, AFloorOfALaterTimelineWaitsForItsPrimary) {
    World world;
    world.replayed(100, 100);
    EXPECT_TRUE(world.floor.raise("2:0/1", world.routing));
    EXPECT_EQ(world.next(), "wait");
    world.sample(100);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.next(Patience::fences), "p");
    EXPECT_EQ(world.floor.text(world.routing, world.samples), std::nullopt);
    for (auto& server : world.routing.servers) server.timeline = 2;
    world.routing.epoch = 2;
    EXPECT_EQ(world.next(), "wait");
    world.sample(110);
    world.replayed(110, 110);
    EXPECT_NE(world.next(), "wait");
}

TEST(SessionFloor, AFenceThatWasAskedOfAReplicaBeforeItWasLostIsAskedAgain) {
    World world;
    world.rules.wants_replica = true;
    world.replayed(100, 0);
    world.routing.servers[2].is_usable = false;
    EXPECT_EQ(world.next(), "a");
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.samples.forget(world.a().id());
    EXPECT_FALSE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
    world.fence();
    EXPECT_TRUE(world.floor.may_go_to_primary(world.routing, world.samples, world.rules));
}

TEST(SessionFloor, AReadWaitsForWhatOthersWereToldOf) {
    World world;
    world.rules = {.consistency = Consistency::endpoint, .wants_replica = true};
    world.replayed(100, 100);
    world.floor.begin_read(0);
    auto const home = world.next();
    EXPECT_NE(home, "wait");
    world.acknowledged = 1;
    world.floor.begin_read(1);
    EXPECT_EQ(world.next(), "wait");
    world.sample(120);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.samples.of(home == "a" ? world.a() : world.b()).replayed, 120U);
    world.replayed(120, 120);
    EXPECT_EQ(world.next(), home);
    // The same sample serves all that ask for no more.
    auto const ticket = world.samples.last_ticket();
    for (int count = 0; count < 10; ++count) {
        world.floor.begin_read(1);
        EXPECT_EQ(world.next(), home);
    }
    EXPECT_EQ(world.samples.last_ticket(), ticket);
}

TEST(SessionFloor, WhereNoReplicaHasWhatOthersWereToldOfThePrimaryIsRead) {
    World world;
    world.rules.consistency = Consistency::endpoint;
    world.replayed(100, 100);
    world.acknowledged = 1;
    world.floor.begin_read(1);
    EXPECT_EQ(world.next(), "wait");
    EXPECT_EQ(world.next(Patience::fences), "p");
    world.sample(200);
    world.floor.begin_read(1);
    EXPECT_EQ(world.next(Patience::fences), "p");
}

TEST(SessionFloor, AReadMayFollowAnotherWhereNothingElseWasAcknowledgedSince) {
    World world;
    world.rules = {.consistency = Consistency::endpoint, .wants_replica = true};
    world.replayed(100, 100);
    world.floor.begin_read(0);
    EXPECT_NE(world.next(), "wait");
    EXPECT_TRUE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 0));
    EXPECT_FALSE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 1));
    world.acknowledged = 1;
    world.sample(110);
    EXPECT_FALSE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 1));
    world.replayed(110, 110);
    EXPECT_TRUE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 1));
    world.rules.consistency = Consistency::strict;
    EXPECT_FALSE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 0));
    world.rules.consistency = Consistency::session;
    EXPECT_TRUE(world.floor.may_read_on_here(world.routing, world.samples, world.rules, 1));
}

TEST(SessionFloor, WeightsAreShares) {
    World world;
    world.replayed(100, 100);
    std::vector<ServerWeight> const weights{{"p", 0}, {"a", 1}, {"b", 3}};
    world.rules.weights = &weights;
    world.a().in_use = 1;
    world.b().in_use = 2;
    EXPECT_EQ(world.next(), "b");
    EXPECT_EQ(world.places(100), (std::set<std::string>{"b"}));
}

}  // namespace
}  // namespace pgtandem::proxy
