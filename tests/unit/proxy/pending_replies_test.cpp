#include "proxy/pending_replies.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace pgtandem::proxy {

namespace {

Expected named(std::string name) {
    Expected entry{Expect::parse};
    entry.name = std::move(name);
    return entry;
}

std::vector<std::string> names(PendingReplies& queue) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < queue.size(); ++at) all.push_back(queue[at].name);
    return all;
}

using Names = std::vector<std::string>;

PendingReplies queue_of(Names const& all) {
    PendingReplies queue;
    for (auto const& name : all) queue.push(named(name));
    return queue;
}

}  // namespace

TEST(PendingReplies, gives_the_responses_in_the_order_of_the_messages) {
    auto queue = queue_of({"a", "b", "c"});
    EXPECT_EQ(queue.front().name, "a");
    EXPECT_EQ(queue.back().name, "c");
    queue.pop();
    EXPECT_EQ(names(queue), (Names{"b", "c"}));
    queue.push(named("d"));
    EXPECT_EQ(names(queue), (Names{"b", "c", "d"}));
    for (auto const* const expected : {"b", "c", "d"}) {
        EXPECT_EQ(queue.front().name, expected);
        queue.pop();
    }
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0U);
}

TEST(PendingReplies, erases_what_stands_behind_taken_ones) {
    struct Row {
        std::size_t index;
        Names left;
    };
    for (auto const& [index, left] : std::vector<Row>{{0, {"c", "d"}}, {1, {"b", "d"}}, {2, {"b", "c"}}}) {
        auto queue = queue_of({"a", "b", "c", "d"});
        queue.pop();
        queue.erase(index);
        EXPECT_EQ(names(queue), left);
        EXPECT_EQ(queue.back().name, left.back());
    }
}

TEST(PendingReplies, is_as_new_once_its_last_one_was_erased_or_all_were_cleared) {
    auto erased = queue_of({"a", "b"});
    erased.pop();
    erased.erase(0);
    auto cleared = queue_of({"a", "b", "c"});
    cleared.pop();
    cleared.clear();
    for (auto* const queue : {&erased, &cleared}) {
        EXPECT_TRUE(queue->empty());
        queue->push(named("x"));
        EXPECT_EQ(names(*queue), Names{"x"});
        EXPECT_EQ(queue->front().name, "x");
    }
}

TEST(PendingReplies, does_not_hold_what_was_taken_away) {
    PendingReplies queue;
    auto statement = std::make_shared<PreparedStatement const>();
    std::weak_ptr<PreparedStatement const> const seen = statement;
    Expected entry{Expect::parse};
    entry.prepared = std::move(statement);
    queue.push(std::move(entry));
    queue.push(named("behind"));
    queue.pop();
    EXPECT_TRUE(seen.expired());
}

// Hundreds at once, taken one by one: what a pipeline makes of it.
TEST(PendingReplies, keeps_the_order_of_a_long_pipeline) {
    PendingReplies queue;
    std::deque<std::string> model;
    for (int at = 0; at < 500; ++at) {
        auto const name = std::to_string(at);
        queue.push(named(name));
        model.push_back(name);
        if (at % 3 != 0) continue;
        EXPECT_EQ(queue.front().name, model.front());
        queue.pop();
        model.pop_front();
    }
    EXPECT_EQ(names(queue), Names(model.begin(), model.end()));
    while (!queue.empty()) queue.pop();
    EXPECT_EQ(names(queue), Names{});
}

TEST(PendingReplies, undoes_the_last_one_first_up_to_the_next_sync) {
    auto queue = queue_of({"a", "b", "c"});
    queue.push({Expect::sync});
    queue.push(named("of the next batch"));
    Names undone;
    auto const note = [&](Expected& entry, bool is_refused) { undone.push_back(entry.name + (is_refused ? " refused" : "")); };
    EXPECT_FALSE(queue.fail_until_sync(note));
    EXPECT_EQ(undone, (Names{"c", "b", "a refused"}));
    EXPECT_EQ(queue.front().what, Expect::sync);
    EXPECT_EQ(queue.size(), 2U);
}

TEST(PendingReplies, an_error_at_a_sync_undoes_nothing) {
    PendingReplies queue;
    queue.push({Expect::sync});
    queue.push(named("behind"));
    EXPECT_FALSE(queue.fail_until_sync([](Expected&, bool) { FAIL(); }));
    EXPECT_EQ(queue.size(), 2U);
}

TEST(PendingReplies, tells_of_a_query_that_is_overlooked) {
    for (bool const is_ours : {false, true}) {
        auto queue = queue_of({"a"});
        Expected query{Expect::query};
        query.is_ours = is_ours;
        queue.push(std::move(query));
        EXPECT_EQ(queue.fail_until_sync([](Expected&, bool) {}), !is_ours);
        EXPECT_TRUE(queue.empty());
        EXPECT_FALSE(queue.owes_ready());
    }
}

TEST(PendingReplies, owes_ready_as_long_as_something_ends_in_it) {
    for (auto const what : {Expect::query, Expect::function_call, Expect::sync}) {
        auto queue = queue_of({"a"});
        EXPECT_FALSE(queue.owes_ready());
        queue.push({what});
        EXPECT_TRUE(queue.owes_ready());
        queue.pop();
        EXPECT_TRUE(queue.owes_ready());
        queue.pop();
        EXPECT_FALSE(queue.owes_ready());
    }
}

TEST(PendingReplies, a_name_that_comes_or_goes_is_certain_within_its_batch_only) {
    PendingReplies queue;
    Expected parse{Expect::parse};
    parse.changes_names = true;
    queue.push(std::move(parse));
    EXPECT_FALSE(queue.may_change_session());
    queue.push({Expect::sync});
    EXPECT_TRUE(queue.may_change_session());
    queue.pop();
    EXPECT_FALSE(queue.may_change_session());
}

TEST(PendingReplies, what_changes_the_session_is_waited_for) {
    PendingReplies queue;
    Expected set{Expect::execute};
    set.changes_session = true;
    queue.push(std::move(set));
    EXPECT_TRUE(queue.may_change_session());
    EXPECT_FALSE(queue.is_comparing());
    Expected describe{Expect::describe};
    describe.learns = Learns::compare;
    queue.push(std::move(describe));
    EXPECT_TRUE(queue.is_comparing());
    queue.pop();
    EXPECT_FALSE(queue.may_change_session());
    queue.clear();
    EXPECT_FALSE(queue.is_comparing());
}

// The counts are those of the entries that are there, whatever was done.
TEST(PendingReplies, counts_what_is_there) {
    std::uint64_t state = 12345;
    auto const random = [&](std::uint64_t most) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33U) % most;
    };
    PendingReplies queue;
    for (int step = 0; step < 20000; ++step) {
        auto const choice = random(10);
        if (choice < 6) {
            Expected entry{static_cast<Expect>(random(10))};
            entry.changes_session = random(5) == 0;
            if (entry.what == Expect::describe) entry.learns = static_cast<Learns>(random(3));
            queue.push(std::move(entry));
        } else if (choice < 8 && !queue.empty()) {
            queue.pop();
        } else if (choice == 8 && !queue.empty()) {
            queue.erase(random(queue.size()));
        } else if (random(20) == 0) {
            queue.fail_until_sync([](Expected&, bool) {});
        }
        bool owes = false;
        bool changes = false;
        bool compares = false;
        for (std::size_t at = 0; at < queue.size(); ++at) {
            owes = owes || queue[at].ends_in_ready();
            changes = changes || queue[at].changes_session;
            compares = compares || queue[at].learns == Learns::compare;
        }
        ASSERT_EQ(queue.owes_ready(), owes);
        ASSERT_EQ(queue.may_change_session(), changes);
        ASSERT_EQ(queue.is_comparing(), compares);
    }
}

}  // namespace pgtandem::proxy
