#include "proxy/read_rules.hpp"

#include <gtest/gtest.h>

#include "support/server_entry.hpp"

namespace pgtandem::proxy {
namespace {

struct World {
    Routing routing{1, 1, {server("p", true), server("a", false), server("b", false)}, true};
    std::vector<ServerWeight> weights{};
    ReadRules rules{.weights = &weights};
    Clock::time_point now = Clock::now();

    ServerEntry& primary() { return routing.servers[0]; }
    ServerEntry& a() { return routing.servers[1]; }
    double share() { return rules.share_of(primary(), routing, now); }
};

TEST(ReadRules, ThePrimaryIsOneReaderOfAll) {
    World world;
    EXPECT_DOUBLE_EQ(world.share(), 1.0 / 3);
    world.a().is_usable = false;
    EXPECT_DOUBLE_EQ(world.share(), 1.0 / 2);
}

TEST(ReadRules, WeightsCount) {
    World world;
    world.weights = {{"p", 2}, {"a", 5}};
    EXPECT_DOUBLE_EQ(world.share(), 2.0 / 8);
    world.weights = {{"p", 0}};
    EXPECT_FALSE(world.rules.has_share(world.primary()));
    EXPECT_DOUBLE_EQ(world.share(), 0);
    world.weights = {{"a", 0}};
    EXPECT_FALSE(world.rules.can_use(world.routing, world.a(), world.now));
}

TEST(ReadRules, AReadThatIsToRunOnAReplicaLeavesThePrimaryNoShare) {
    World world;
    world.rules.wants_replica = true;
    EXPECT_FALSE(world.rules.has_share(world.primary()));
    EXPECT_DOUBLE_EQ(world.share(), 0);
}

TEST(ReadRules, WithoutAPrimaryAReplicaIsReadOnOnlyByWhoeverDoesNotNeedOne) {
    World world;
    auto const can_use = [&] { return world.rules.can_use(world.routing, world.a(), world.now); };
    world.primary().is_usable = false;
    EXPECT_FALSE(can_use());
    world.rules.needs_primary = false;
    EXPECT_TRUE(can_use());
    world.primary().is_usable = true;
    world.a().timeline = 2;
    EXPECT_FALSE(can_use());
}

TEST(ReadRules, APrimaryThatHasMuchMoreToDoHasNoShare) {
    World world;
    world.primary().position->in_use = 5;
    EXPECT_DOUBLE_EQ(world.share(), 1.0 / 3);
    world.primary().position->in_use = 6;
    EXPECT_DOUBLE_EQ(world.share(), 0);
}

TEST(ReadRules, AReplicaThatIsBackHasMoreLoadForTheSameWork) {
    World world;
    auto const& replica = world.a();
    replica.position->in_use = 1;
    EXPECT_DOUBLE_EQ(world.rules.load_of(replica, world.now), 2);
    EXPECT_DOUBLE_EQ(world.rules.load_of(replica, world.now, 3), 4);
    replica.position->back_since(world.now - std::chrono::seconds(5));
    EXPECT_DOUBLE_EQ(world.rules.load_of(replica, world.now), 4);
    replica.position->back_since(world.now);
    EXPECT_DOUBLE_EQ(world.rules.load_of(replica, world.now), 20);
}

TEST(ReadRules, AReplicaThatIsAvoidedOrLateOrOfAnotherTimelineIsNotUsed) {
    World world;
    auto const can_use = [&] { return world.rules.can_use(world.routing, world.a(), world.now); };
    EXPECT_TRUE(can_use());
    world.a().position->avoid_until(world.now + std::chrono::milliseconds(1));
    EXPECT_FALSE(can_use());
    world.now += std::chrono::milliseconds(1);
    EXPECT_TRUE(can_use());
    world.a().position->set_lag(std::chrono::milliseconds(900));
    EXPECT_TRUE(can_use());
    world.rules.max_lag = std::chrono::milliseconds(800);
    EXPECT_FALSE(can_use());
    world.rules.consistency = Consistency::eventual;
    EXPECT_TRUE(can_use());
    world.a().timeline = 2;
    EXPECT_FALSE(can_use());
}

}  // namespace
}  // namespace pgtandem::proxy
