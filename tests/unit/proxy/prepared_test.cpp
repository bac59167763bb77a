#include "proxy/prepared.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

PreparedRef statement(std::uint64_t id) {
    return std::make_shared<PreparedStatement const>(PreparedStatement{id, 0, 0, "select", "", nullptr});
}

// The ids in the order in which they would be given up.
std::vector<std::uint64_t> order_of_leaving(PreparedOnBackend& backend) {
    std::vector<std::uint64_t> ids;
    while (backend.size() > 0) {
        ids.push_back(backend.oldest()->id);
        backend.remove(ids.back());
    }
    return ids;
}

using Ids = std::vector<std::uint64_t>;

}  // namespace

TEST(PreparedStatement, has_a_name_of_its_own_on_the_server) {
    PreparedRegistry registry;
    auto const one = registry.add({0, 0, 0, "select 1", "", nullptr});
    auto const two = registry.add({0, 0, 0, "select 2", "", nullptr});
    EXPECT_EQ(one->server_name(), "pgtandem_" + std::to_string(one->id));
    EXPECT_NE(one->server_name(), two->server_name());
}

TEST(PreparedRegistry, finds_a_statement_by_all_that_it_is) {
    PreparedRegistry registry;
    auto const made = registry.add({0, 7, 0, "select $1", "aaaa", nullptr});
    EXPECT_EQ(registry.find(7, "select $1", "aaaa"), made);
    EXPECT_EQ(registry.find(8, "select $1", "aaaa"), nullptr) << "the catalog has changed";
    EXPECT_EQ(registry.find(7, "select $2", "aaaa"), nullptr);
    EXPECT_EQ(registry.find(7, "select $1", "bbbb"), nullptr);
    EXPECT_EQ(registry.find(7, "select $1", ""), nullptr);
}

TEST(PreparedRegistry, does_not_take_a_text_for_types) {
    PreparedRegistry registry;
    auto const made = registry.add({0, 0, 0, "aaaaselect 1", "", nullptr});
    EXPECT_EQ(registry.find(0, "select 1", "aaaa"), nullptr);
    EXPECT_EQ(registry.find(0, "aaaaselect 1", ""), made);
}

TEST(PreparedRegistry, forgets_what_nobody_holds) {
    PreparedRegistry registry;
    auto made = registry.add({0, 0, 0, "select 1", "", nullptr});
    auto const held = registry.add({0, 0, 0, "select 2", "", nullptr});
    made.reset();
    EXPECT_EQ(registry.find(0, "select 1", ""), nullptr);
    for (int at = 0; at < 5000; ++at) registry.add({0, 0, 0, "select " + std::to_string(at) + " as n", "", nullptr});
    EXPECT_EQ(registry.find(0, "select 2", ""), held);
}

TEST(PreparedRegistry, makes_an_outdated_statement_anew) {
    PreparedRegistry registry;
    auto const before = registry.add({0, 0, 0, "select * from t", "", nullptr});
    before->is_outdated = true;
    EXPECT_EQ(registry.find(0, "select * from t", ""), nullptr);
    auto const after = registry.add({0, 0, 0, "select * from t", "", nullptr});
    EXPECT_NE(after->id, before->id);
    EXPECT_EQ(registry.find(0, "select * from t", ""), after);
}

TEST(PreparedOnBackend, gives_up_the_least_recently_used_first) {
    struct Row {
        Ids used;
        Ids leaving;
    };
    for (auto const& [used, leaving] : std::vector<Row>{{{}, {1, 2, 3}}, {{1}, {2, 3, 1}}, {{2, 1}, {3, 2, 1}}, {{3, 3}, {1, 2, 3}}}) {
        PreparedOnBackend backend;
        for (std::uint64_t id : {1, 2, 3}) backend.add(statement(id));
        for (auto const id : used) EXPECT_TRUE(backend.use(id));
        EXPECT_EQ(order_of_leaving(backend), leaving);
    }
}

TEST(PreparedOnBackend, has_a_statement_once) {
    PreparedOnBackend backend;
    for (std::uint64_t id : {1, 2, 1}) backend.add(statement(id));
    EXPECT_EQ(backend.size(), 2U);
    EXPECT_EQ(order_of_leaving(backend), (Ids{2, 1})) << "adding it again is using it";
}

TEST(PreparedOnBackend, does_not_have_what_was_removed) {
    PreparedOnBackend backend;
    for (std::uint64_t id : {1, 2, 3}) backend.add(statement(id));
    backend.remove(2);
    backend.remove(9);
    EXPECT_FALSE(backend.use(2));
    EXPECT_FALSE(backend.use(9));
    EXPECT_TRUE(backend.use(3));
    EXPECT_EQ(backend.size(), 2U);
    backend.clear();
    EXPECT_FALSE(backend.use(3));
    EXPECT_EQ(backend.size(), 0U);
}

TEST(PreparedOnBackend, holds_its_statements) {
    PreparedOnBackend backend;
    auto one = statement(1);
    std::weak_ptr<PreparedStatement const> const seen = one;
    backend.add(one);
    one.reset();
    EXPECT_FALSE(seen.expired());
    backend.remove(1);
    EXPECT_TRUE(seen.expired());
}

}  // namespace pgtandem::proxy
