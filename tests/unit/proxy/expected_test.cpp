#include "proxy/expected.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace pgtandem::proxy {

namespace {

Expected named(std::string name) {
    Expected entry{Expect::parse};
    entry.name = std::move(name);
    return entry;
}

std::vector<std::string> names(ExpectedQueue& queue) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < queue.size(); ++at) all.push_back(queue[at].name);
    return all;
}

using Names = std::vector<std::string>;

ExpectedQueue queue_of(Names const& all) {
    ExpectedQueue queue;
    for (auto const& name : all) queue.push(named(name));
    return queue;
}

}  // namespace

TEST(ExpectedQueue, gives_the_responses_in_the_order_of_the_messages) {
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

TEST(ExpectedQueue, erases_what_stands_behind_taken_ones) {
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

TEST(ExpectedQueue, is_as_new_once_its_last_one_was_erased_or_all_were_cleared) {
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

TEST(ExpectedQueue, does_not_hold_what_was_taken_away) {
    ExpectedQueue queue;
    auto statement = std::make_shared<PreparedStatement const>();
    std::weak_ptr<PreparedStatement const> const seen = statement;
    queue.push({Expect::parse, false, false, 0, {}, std::move(statement), {}, {}});
    queue.push(named("behind"));
    queue.pop();
    EXPECT_TRUE(seen.expired());
}

// Hundreds at once, taken one by one: what a pipeline makes of it.
TEST(ExpectedQueue, keeps_the_order_of_a_long_pipeline) {
    ExpectedQueue queue;
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

}  // namespace pgtandem::proxy
