#include <gtest/gtest.h>

#include "wire/startup.hpp"

namespace pgtandem::wire {
namespace {

OptionSettings const one{{"work_mem", "1MB"}};

TEST(options, reads_the_three_ways_to_set) {
    for (auto const* text : {"-c work_mem=1MB", "-cwork_mem=1MB", "--work-mem=1MB", "  -c\twork_mem=1MB \n"}) {
        EXPECT_EQ(parse_options(text).value(), one) << text;
    }
    EXPECT_TRUE(parse_options("").value().empty());
    EXPECT_TRUE(parse_options(" \t ").value().empty());
}

TEST(options, a_backslash_keeps_a_blank) {
    EXPECT_EQ(parse_options(R"(-c a=b\ c\\d -c e=\)").value(), (OptionSettings{{"a", "b c\\d"}, {"e", ""}}));
}

TEST(options, says_what_is_wrong_as_the_server_does) {
    EXPECT_EQ(parse_options("-c x").error().what, "-c x requires a value");
    EXPECT_EQ(parse_options("--x").error().what, "--x requires a value");
    for (auto const* text : {"-c", "--", "-F", "-e", "word", "-"}) {
        auto const error = parse_options(text).error();
        EXPECT_EQ(error.what, std::string("invalid command-line argument for server process: ") + text);
        EXPECT_EQ(error.sqlstate, "42601");
    }
}

TEST(options, a_setting_without_a_name_does_not_hang_the_parser) {
    for (auto const* text : {"-c=", "-c =", "-c =1", "--=", "-c= -c= -c="}) EXPECT_EQ(parse_options(text).error().sqlstate, "42704") << text;
}

}  // namespace
}  // namespace pgtandem::wire
