#include "agent/board.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace pgtandem {

TEST(Waker, loses_no_wake_that_came_before_the_wait) {
    Waker const waker;
    waker.wake();
    auto const begun = Clock::now();
    waker.wait(1h);
    EXPECT_LT(Clock::now() - begun, 1h);
    waker.wait(0ms);  // the wake was used up: this returns by its own time only
}

TEST(Waker, wakes_from_another_thread) {
    Waker const waker;
    std::thread waiting([&] { waker.wait(1h); });
    waker.wake();
    waiting.join();
}

TEST(Board, shows_each_reader_what_was_said) {
    Board board;
    cluster::ClusterState state;
    state.nodes = {{"node1", {6441}}};
    board.set_state(state, 7);
    board.set_primary_answers(true);
    board.set_seen("node1", {false, 7, false});
    board.go_down();
    auto const view = board.view();
    EXPECT_EQ(view.state, state);
    EXPECT_EQ(view.revision, 7U);
    EXPECT_TRUE(view.primary_answers);
    EXPECT_TRUE(view.going_down);
    EXPECT_FALSE(view.seen.at("node1").has_ended);
    EXPECT_EQ(view.seen.at("node1").settled_revision, 7U);
}

TEST(Board, lets_one_replica_restart_at_a_time) {
    Board board;
    EXPECT_TRUE(board.begin_restart("node2"));
    EXPECT_TRUE(board.begin_restart("node2"));
    EXPECT_FALSE(board.begin_restart("node3"));
    board.set_seen("node2", {true, 0, false});
    EXPECT_TRUE(board.begin_restart("node3"));
}

TEST(Board, wakes_every_agent_at_news) {
    Board board;
    auto const& first = board.waker("node1");
    auto const& second = board.waker("node2");
    EXPECT_EQ(&first, &board.waker("node1"));
    std::thread waiting([&] {
        first.wait(1h);
        second.wait(1h);
    });
    board.set_primary_answers(true);
    waiting.join();
}

}  // namespace pgtandem
