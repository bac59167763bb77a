#include "proxy/hba_loaded.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

HbaLines file(char const* method) {
    HbaLine line;
    line.method = method;
    return {line};
}

using Files = std::vector<HbaLines>;
auto const a = file("a");
auto const b = file("b");
auto const c = file("c");

struct Look {
    double load_time, changed_at;
    std::optional<HbaLines> lines;
    bool unseen = false;
};

Files after(std::vector<Look> const& looks) {
    HbaLoaded loaded;
    for (auto const& look : looks) loaded.take({look.load_time, look.changed_at, look.lines, look.unseen});
    return loaded.candidates();
}

}  // namespace

TEST(HbaLoaded, a_file_that_was_changed_before_its_load_is_in_effect) {
    EXPECT_EQ(after({{10, 9, a}}), Files{a});
    EXPECT_EQ(after({{10, 9, a}, {20, 15, b}}), Files{b});
    EXPECT_EQ(after({{10, 10, a}}), Files{a});
}

TEST(HbaLoaded, what_was_changed_since_the_load_is_not) {
    EXPECT_EQ(after({{10, 9, a}, {10, 15, b}}), Files{a});
    EXPECT_EQ(after({{10, 9, a}, {10, 15, b}, {20, 15, b}}), Files{b});
}

TEST(HbaLoaded, nothing_is_known_of_a_file_that_was_changed_before_the_first_look) {
    EXPECT_EQ(after({{10, 11, a}}), Files{});
    EXPECT_EQ(after({{10, 11, a}, {10, 12, b, true}}), Files{});
    EXPECT_EQ(after({{10, 11, a}, {20, 11, a}}), Files{a});
}

TEST(HbaLoaded, changed_about_the_load_it_may_be_either) {
    EXPECT_EQ(after({{10, 9, a}, {20, 21, b}}), (Files{a, b}));
    EXPECT_EQ(after({{10, 9, a}, {20, 21, b}, {20, 22, c}}), (Files{a, b}));
    EXPECT_EQ(after({{10, 9, a}, {20, 21, b}, {30, 22, c}}), Files{c});
    EXPECT_EQ(after({{10, 9, a}, {20, 21, a}}), Files{a});
}

TEST(HbaLoaded, with_a_fault_the_server_goes_on_with_what_it_had) {
    EXPECT_EQ(after({{10, 9, a}, {20, 15, std::nullopt}}), Files{a});
    EXPECT_EQ(after({{10, 9, a}, {20, 15, std::nullopt}, {30, 25, b}}), Files{b});
    EXPECT_EQ(after({{10, 9, std::nullopt}}), Files{});
}

TEST(HbaLoaded, a_load_that_is_not_seen_may_have_been) {
    EXPECT_EQ(after({{10, 9, a}, {10, 15, b, true}}), (Files{a, b}));
    EXPECT_EQ(after({{10, 9, a}, {10, 15, b, true}, {20, 15, b}}), Files{b});
}

TEST(HbaLoaded, what_would_grow_without_end_is_not_known) {
    std::vector<Look> looks{{10, 9, a}};
    for (int at = 0; at < 20; ++at) looks.push_back({10, 20.0 + at, file(std::to_string(at).c_str()), true});
    EXPECT_EQ(after(looks), Files{});
}

}  // namespace pgtandem::proxy
