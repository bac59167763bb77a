#include "proxy/drawn_numbers.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

using namespace std::chrono_literals;

struct World {
    NumberHabits habits{};
    SessionNumbers session{};
    Clock::time_point now{1h};

    void draws(std::uint64_t statement = 1, std::uint64_t backend = 7) { session.runs(statement, true, false, backend, habits, now); }
    void asks(std::uint64_t backend = 7) { session.runs(100, false, true, backend, habits, now); }
    KeptNumbers gives_back(std::uint64_t backend = 7) { return session.given_back(backend, habits, now); }
    bool is_kept() { return gives_back().until > now; }
    void draws_and_asks() {
        draws();
        asks();
    }
};

TEST(SessionNumbers, without_a_question_nothing_is_kept) {
    World world;
    world.draws();
    EXPECT_FALSE(world.is_kept());
    // A question without a number, as of a careless client, teaches nothing.
    World careless;
    careless.asks();
    careless.draws();
    EXPECT_FALSE(careless.is_kept());
    EXPECT_EQ(careless.habits.size(), 0U);
}

TEST(SessionNumbers, a_session_that_has_asked_keeps_whatever_it_draws) {
    World world;
    world.draws_and_asks();
    world.draws(2);
    EXPECT_EQ(world.gives_back().until, world.now + kept_for_question);
    EXPECT_FALSE(world.gives_back().were_asked_for);
    EXPECT_EQ(world.gives_back(8).until, Clock::time_point());
}

TEST(SessionNumbers, other_sessions_keep_the_same_statements_numbers_and_no_others) {
    World world;
    world.draws_and_asks();
    world.session = {};
    world.draws(2);
    EXPECT_FALSE(world.is_kept());
    world.draws(1);
    EXPECT_TRUE(world.is_kept());
}

TEST(SessionNumbers, the_time_runs_from_the_first_moment_the_backend_could_be_given_to_another) {
    World world;
    world.draws_and_asks();
    world.draws();
    auto const until = world.gives_back().until;
    world.now += 300ms;
    EXPECT_EQ(world.gives_back().until, until);
    world.asks();
    EXPECT_EQ(world.gives_back().until, world.now + kept_after_question);
    EXPECT_TRUE(world.gives_back().were_asked_for);
}

TEST(SessionNumbers, an_insert_that_asks_for_an_earlier_number_leaves_that_one_kept) {
    World world;
    world.draws_and_asks();
    world.draws(1);
    for (int item = 0; item < 3; ++item) {
        world.session.runs(2, true, true, 7, world.habits, world.now);
        EXPECT_TRUE(world.is_kept());
        world.now += 50ms;
    }
    EXPECT_FALSE(world.habits.holds(2, world.now));
    // Not without end.
    for (int item = 0; item < 200; ++item) {
        world.session.runs(2, true, true, 7, world.habits, world.now);
        world.gives_back();
        world.now += 50ms;
    }
    EXPECT_FALSE(world.is_kept());
}

TEST(SessionNumbers, a_trigger_that_asks_for_its_own_statements_number_keeps_nothing) {
    World world;
    for (int count = 0; count < 3; ++count) {
        world.session.runs(1, true, true, 7, world.habits, world.now);
        EXPECT_FALSE(world.is_kept());
    }
    EXPECT_EQ(world.habits.size(), 0U);
}

TEST(SessionNumbers, what_is_kept_in_vain_is_soon_kept_no_more) {
    World world;
    world.draws_and_asks();
    world.session = {};
    int kept = 0;
    for (int count = 0; count < 100; ++count) {
        world.draws();
        kept += world.is_kept() ? 1 : 0;
        // One who goes on asking beside those who never do changes little.
        if (count % 10 == 0) world.habits.asked(1, world.now);
    }
    EXPECT_LE(kept, 8);
    world.now += 10min;
    world.draws_and_asks();
    world.draws();
    EXPECT_TRUE(world.is_kept());
}

TEST(SessionNumbers, what_a_session_leaves_unasked_was_kept_in_vain) {
    World world;
    world.habits.asked(1, world.now);
    for (int count = 0; count < 4; ++count) {
        world.session = {};
        world.draws();
        EXPECT_TRUE(world.is_kept());
        world.session.left(world.habits, world.now);
    }
    world.draws();
    EXPECT_FALSE(world.is_kept());
}

TEST(NumberHabits, they_are_forgotten_after_a_while_and_never_many) {
    World world;
    world.habits.asked(1, world.now);
    EXPECT_TRUE(world.habits.holds(1, world.now + 59s));
    EXPECT_FALSE(world.habits.holds(1, world.now + 60s));
    for (std::uint64_t statement = 1; statement < 5000; ++statement) world.habits.asked(statement, world.now);
    EXPECT_LE(world.habits.size(), 1000U);
    EXPECT_TRUE(world.habits.holds(4999, world.now));
}

TEST(KeptNumbers, a_session_that_has_waited_for_long_gets_what_was_asked_for_already) {
    Clock::time_point const now{1h};
    EXPECT_TRUE(KeptNumbers{}.may_go(now, now));
    EXPECT_FALSE((KeptNumbers{now + 1s, false}.may_go(now, now - 1h)));
    EXPECT_FALSE((KeptNumbers{now + 1s, true}.may_go(now, now - 1s)));
    EXPECT_TRUE((KeptNumbers{now + 1s, true}.may_go(now, now - patience_with_questions)));
    EXPECT_TRUE((KeptNumbers{now, false}.may_go(now, now)));
}

}  // namespace
}  // namespace pgtandem::proxy
