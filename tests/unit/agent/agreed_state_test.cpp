#include "agent/agreed_state.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

class AgreedState : public testing::Test {
protected:
    AgreedState() {
        cluster::ClusterState state;
        state.nodes = {{"node1", {6441}}};
        EXPECT_TRUE(store_.write({{"cluster", to_json(state)}, {"primary", {{"node", "node1"}}}}));
    }

    Result<cluster::ClusterState> state() const { return read_state(*store_.read()); }

    TemporaryFolder folder_;
    FileStore store_{folder_ / "store.json"};
};

}  // namespace

TEST_F(AgreedState, is_changed_from_what_is_there) {
    ASSERT_TRUE(change_state(store_, [](cluster::ClusterState& state) -> Status {
        state.nodes["node2"] = {6442};
        return {};
    }));
    EXPECT_EQ(state()->nodes.at("node2").port, 6442);
    EXPECT_EQ(state()->nodes.at("node1").port, 6441);
}

TEST_F(AgreedState, stays_when_the_change_is_refused_or_changes_nothing) {
    auto const before = store_.read()->revision;
    auto const refused = change_state(store_, [](cluster::ClusterState& state) -> Status {
        state.nodes.clear();
        return fail("changing", "it", "no");
    });
    EXPECT_EQ(refused.error().why, "no");
    EXPECT_TRUE(change_state(store_, [](cluster::ClusterState&) -> Status { return {}; }));
    EXPECT_EQ(store_.read()->revision, before);
}

TEST_F(AgreedState, loses_no_change_of_two_writers) {
    constexpr int rounds = 20;
    auto const raise = [&](std::string const& node) {
        for (int i = 0; i < rounds; ++i) {
            EXPECT_TRUE(change_state(store_, [&](cluster::ClusterState& state) -> Status {
                ++state.nodes[node].generation;
                return {};
            }));
        }
    };
    std::thread other([&] { raise("node3"); });
    raise("node2");
    other.join();
    EXPECT_EQ(state()->nodes.at("node2").generation, 1 + rounds);
    EXPECT_EQ(state()->nodes.at("node3").generation, 1 + rounds);
}

TEST_F(AgreedState, goes_on_after_another_writer_came_between) {
    int calls = 0;
    ASSERT_TRUE(change_state(store_, [&](cluster::ClusterState& state) -> Status {
        if (++calls == 1) PGTANDEM_CHECK(store_.write({{"other", 1}}).map([](auto) {}));
        state.nodes["node2"] = {6442};
        return {};
    }));
    EXPECT_EQ(calls, 2);
    EXPECT_TRUE(state()->nodes.contains("node2"));
}

TEST_F(AgreedState, says_when_the_store_holds_no_cluster) {
    ASSERT_TRUE(store_.write({{"primary", nullptr}}));
    EXPECT_EQ(state().error().why, "it holds no cluster");
    EXPECT_FALSE(change_state(store_, [](cluster::ClusterState&) -> Status { return {}; }));
}

}  // namespace pgtandem
