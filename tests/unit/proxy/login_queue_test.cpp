#include "proxy/login_queue.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace pgtandem::proxy {

namespace {

using Queue = LoginQueue<std::string>;

std::string all_of(Queue& queue) {
    std::string all;
    while (auto const next = queue.pop()) all += *next + " ";
    return all;
}

}  // namespace

TEST(LoginQueue, serves_addresses_by_turns_and_each_in_its_order) {
    Queue queue(100);
    std::uint64_t id = 0;
    for (auto const* item : {"a1", "a2", "a3", "a4", "b1", "c1", "c2"}) queue.push(++id, std::string(1, item[0]), item);
    EXPECT_EQ(all_of(queue), "a1 b1 c1 a2 c2 a3 a4 ");
    EXPECT_TRUE(queue.empty());
}

TEST(LoginQueue, a_new_address_comes_before_what_one_has_piled_up) {
    Queue queue(10'000);
    for (std::uint64_t id = 1; id <= 5000; ++id) queue.push(id, "attacker", "x");
    queue.push(9000, "somebody", "login");
    EXPECT_EQ(queue.pop(), "x");
    EXPECT_EQ(queue.pop(), "login");
}

TEST(LoginQueue, drops_those_who_have_left) {
    Queue queue(100);
    for (std::uint64_t id = 1; id <= 6; ++id) queue.push(id, id % 2 == 0 ? "a" : "b", std::to_string(id));
    for (std::uint64_t const id : {1, 3, 5, 4, 4, 77}) queue.remove(id);
    EXPECT_EQ(all_of(queue), "2 6 ");
}

TEST(LoginQueue, when_it_is_full_the_address_with_the_most_loses_its_newest) {
    Queue queue(4);
    EXPECT_FALSE(queue.push(1, "a", "a1"));
    EXPECT_FALSE(queue.push(2, "a", "a2"));
    EXPECT_FALSE(queue.push(3, "a", "a3"));
    EXPECT_FALSE(queue.push(4, "b", "b1"));
    EXPECT_EQ(queue.push(5, "c", "c1"), "a3");
    EXPECT_EQ(queue.push(6, "a", "a4"), "a4");
    EXPECT_EQ(queue.size(), 4U);
    EXPECT_EQ(all_of(queue), "a1 b1 c1 a2 ");
}

TEST(LoginQueue, holds_what_was_put_in_and_not_taken_out) {
    std::mt19937 random(7);
    Queue queue(50);
    std::set<std::string> model;
    for (std::uint64_t id = 1; id < 20'000; ++id) {
        if (auto const lost = queue.push(id, std::to_string(random() % 9), std::to_string(id)); lost != std::to_string(id)) {
            model.insert(std::to_string(id));
            EXPECT_EQ(lost ? model.erase(*lost) : 1U, 1U);
        }
        if (random() % 3 == 0) {
            auto const left = id - random() % 60 % id;
            model.erase(std::to_string(left));
            queue.remove(left);
        }
        if (random() % 4 == 0) {
            auto const next = queue.pop();
            EXPECT_EQ(next ? model.erase(*next) : 1U, 1U);
        }
        ASSERT_EQ(queue.size(), model.size());
    }
}

TEST(LoginQueue, a_network_of_ipv6_is_one_source) {
    EXPECT_EQ(login_source("2001:db8::1"), login_source("2001:db8::ffff:1"));
    EXPECT_NE(login_source("2001:db8::1"), login_source("2001:db8:0:1::1"));
    EXPECT_NE(login_source("10.0.0.1"), login_source("10.0.0.2"));
    EXPECT_EQ(login_source("::ffff:10.0.0.1").size(), std::string("::ffff:10.0.0.1").size());
    EXPECT_EQ(login_source(""), "");
}

}  // namespace pgtandem::proxy
