#include "proxy/routing.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

ServerEntry server(std::string const& name, bool is_primary, bool is_usable = true) {
    ServerEntry entry;
    entry.name = name;
    entry.is_primary = is_primary;
    entry.is_usable = is_usable;
    return entry;
}

}  // namespace

TEST(RoutingBoard, begins_with_no_servers) {
    RoutingBoard const board;
    EXPECT_EQ(board.current()->version, 0U);
    EXPECT_EQ(board.current()->primary(), nullptr);
}

TEST(RoutingBoard, counts_changes_and_tells_of_them) {
    RoutingBoard board;
    std::vector<std::uint64_t> seen;
    board.on_change([&] { seen.push_back(board.current()->version); });
    board.publish({server("node1", true)});
    board.publish({server("node1", true)});
    board.publish({server("node1", true), server("node2", false)});
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2}));
}

TEST(RoutingBoard, what_a_reader_holds_stays_as_it_is) {
    RoutingBoard board;
    board.publish({server("node1", true)});
    auto const held = board.current();
    board.publish({server("node2", true)});
    EXPECT_EQ(held->primary()->name, "node1");
    EXPECT_EQ(board.current()->primary()->name, "node2");
}

TEST(Routing, a_primary_that_cannot_be_used_is_none) {
    Routing const routing{1, 1, {server("node1", true, false), server("node2", false)}};
    EXPECT_EQ(routing.primary(), nullptr);
    EXPECT_EQ(routing.find("node2")->name, "node2");
    EXPECT_EQ(routing.find("node3"), nullptr);
}

}  // namespace pgtandem::proxy
