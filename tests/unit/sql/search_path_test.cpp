#include "sql/search_path.hpp"

#include <gtest/gtest.h>

namespace pgtandem::sql {
namespace {

using Names = std::vector<std::string>;

TEST(path_of_value, reads_what_the_server_shows) {
    EXPECT_EQ(path_of_value("\"$user\", public", "anna"), (Names{"anna", "public"}));
    EXPECT_EQ(path_of_value("Sales,\"Sales\", \"a \"\"b\"\"\"", "anna"), (Names{"sales", "Sales", "a \"b\""}));
    EXPECT_EQ(path_of_value("", "anna"), Names{});
    EXPECT_EQ(path_of_value("\"\"", "anna"), Names{""});
}

TEST(path_of_value, knows_no_user_that_is_not_known) {
    EXPECT_EQ(path_of_value("\"$user\", public", ""), std::nullopt);
    EXPECT_EQ(path_of_value("public", ""), Names{"public"});
}

TEST(path_of_value, gives_nothing_for_what_it_does_not_read_as_the_server_does) {
    for (auto const* const value : {"a,", ",a", "a b", "'a'", "a -- b", "a /* b */, c", "U&\"a\"", "\"a", "a-b", "1"}) {
        EXPECT_EQ(path_of_value(value, "anna"), std::nullopt) << value;
    }
}

TEST(path_of_statement, reads_each_way_to_set_it) {
    EXPECT_EQ(path_of_statement("SET search_path TO a, \"B\"", "anna"), (Names{"a", "B"}));
    EXPECT_EQ(path_of_statement("SET search_path TO 'a, b', \"$user\"", "anna"), (Names{"a, b", "anna"}));
    EXPECT_EQ(path_of_statement("SET search_path TO ''", "anna"), Names{""});
    EXPECT_EQ(path_of_statement("SET \"Search_Path\" TO a", "anna"), Names{"a"});
    EXPECT_EQ(path_of_statement("SET SCHEMA 'a'", "anna"), Names{"a"});
    EXPECT_EQ(path_of_statement("SET search_path TO $x$a, 'b'$x$", "anna"), Names{"a, 'b'"});
    EXPECT_EQ(path_of_statement("SELECT pg_catalog.set_config('search_path', 'a, \"$user\"', false)", "anna"), (Names{"a", "anna"}));
}

TEST(path_of_statement, gives_nothing_for_other_constants) {
    EXPECT_EQ(path_of_statement("SET search_path TO E'a\\x62'", "anna"), std::nullopt);
    EXPECT_EQ(path_of_statement("SELECT pg_catalog.set_config('search_path', E'a', false)", "anna"), std::nullopt);
    EXPECT_EQ(path_of_statement("SET search_path TO a, \"$user\"", ""), std::nullopt);
    EXPECT_EQ(path_of_statement("RESET search_path", "anna"), std::nullopt);
}

}  // namespace
}  // namespace pgtandem::sql
