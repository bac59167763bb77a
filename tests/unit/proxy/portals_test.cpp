#include "proxy/portals.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

PreparedRef statement(std::string text) {
    PreparedStatement made;
    made.text = std::move(text);
    return std::make_shared<PreparedStatement const>(std::move(made));
}

PreparedRef own_statement() {
    PreparedStatement made;
    made.own = OwnStatement{OwnStatement::Kind::show, "pgtandem.route"};
    return std::make_shared<PreparedStatement const>(std::move(made));
}

TEST(Portals, a_portal_runs_what_was_bound_last) {
    Portals portals;
    auto const one = statement("1");
    auto const two = statement("2");
    for (std::string const name : {"", "p"}) {
        portals.bind(name, one, 0, 0);
        EXPECT_EQ(portals.bound(name), one);
        portals.bind(name, two, 0, 0);
        EXPECT_EQ(portals.bound(name), two);
        EXPECT_EQ(portals.bound("q"), nullptr);
        portals.unbind("q");
        portals.unbind(name);
        EXPECT_EQ(portals.bound(name), nullptr);
    }
}

TEST(Portals, names_are_read_as_far_as_the_server_reads_them) {
    Portals portals;
    std::string const name(63, 'p');
    portals.bind(name + "1", statement("1"), 0, 0);
    EXPECT_NE(portals.bound(name + "2"), nullptr);
    portals.unbind(name + "3");
    EXPECT_EQ(portals.bound(name), nullptr);
}

TEST(Portals, each_own_one_has_a_run_of_its_own) {
    Portals portals;
    auto const own = own_statement();
    for (auto const* name : {"", "p", "q"}) portals.bind(name, own, 0, 0);
    portals.run_of("p").rows_given = 3;
    EXPECT_EQ(portals.run_of("q").rows_given, 0U);
    EXPECT_EQ(portals.run_of("").rows_given, 0U);
    portals.bind("p", own, 0, 0);
    EXPECT_EQ(portals.run_of("p").rows_given, 0U) << "bound again";
}

TEST(Portals, those_bound_before_a_transactions_end_end_with_it) {
    Portals portals;
    portals.bind("before", statement("1"), 3, 0);
    portals.bind("", statement("1"), 4, 0);
    portals.bind("behind", statement("1"), 5, 0);
    portals.end_before(5);
    EXPECT_EQ(portals.bound("before"), nullptr);
    EXPECT_EQ(portals.bound(""), nullptr);
    EXPECT_NE(portals.bound("behind"), nullptr);
    portals.end_all();
    EXPECT_EQ(portals.bound("behind"), nullptr);
}

TEST(Portals, those_of_a_subtransaction_end_when_it_is_rolled_back) {
    Portals portals;
    portals.bind("outside", statement("1"), 0, 0);
    portals.bind("first", statement("1"), 0, 1);
    portals.bind("second", statement("1"), 0, 2);
    portals.rolled_back(2);
    EXPECT_EQ(portals.bound("second"), nullptr);
    EXPECT_NE(portals.bound("first"), nullptr);
    portals.released(0);
    portals.rolled_back(1);
    EXPECT_NE(portals.bound("first"), nullptr) << "it is the outer transaction's";
    EXPECT_NE(portals.bound("outside"), nullptr);
}

}  // namespace
}  // namespace pgtandem::proxy
