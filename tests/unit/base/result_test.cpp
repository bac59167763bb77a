#include "base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace pgtandem {

namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail("halving", std::to_string(number), "it is odd");
    return number / 2;
}

Result<int> quarter(int number) {
    PGTANDEM_TRY(first, half(number));
    PGTANDEM_TRY(second, half(first));
    return second;
}

Status both_even(int a, int b) {
    // A check inside a lambda inside a check names no variable twice.
    PGTANDEM_CHECK([&]() -> Status {
        PGTANDEM_CHECK(half(a).map([](int) {}));
        return {};
    }());
    PGTANDEM_CHECK(half(b).map([](int) {}));
    return {};
}

}  // namespace

TEST(Error, says_what_on_what_and_why) {
    Error const error{"starting", "node2", "port 6442 is taken"};
    EXPECT_EQ(error.line(), "starting: node2: port 6442 is taken");
}

TEST(Error, leaves_out_what_is_empty) {
    Error const error{"", "node2", "gone"};
    EXPECT_EQ(error.line(), "node2: gone");
    EXPECT_EQ(Error{}.line(), "");
}

TEST(Error, gains_context_as_it_rises) {
    auto const error = Error{"connecting", "127.0.0.1:6441", "timed out"}.within("adding node2").with_hint("wait");
    EXPECT_EQ(error.line(), "adding node2: connecting: 127.0.0.1:6441: timed out");
    EXPECT_EQ(error.hint, "wait");
    EXPECT_EQ((Error{"", "x", "y"}.within("outer").line()), "outer: x: y");
}

TEST(Error, of_usage_is_told_from_one_of_work) {
    EXPECT_EQ(fail("a", "b", "c").value().kind, ErrorKind::failed);
    EXPECT_EQ(usage_error("a", "b", "c").value().kind, ErrorKind::usage);
}

TEST(Error, of_the_system_has_its_words) {
    errno = ENOSPC;
    EXPECT_EQ(fail_errno("writing", "/x").value().line(), "writing: /x: No space left on device");
}

TEST(Try, names_the_value_or_leaves_with_the_first_error) {
    EXPECT_EQ(quarter(8), 2);
    EXPECT_EQ(quarter(6).error().on, "3");
    EXPECT_EQ(quarter(5).error().on, "5");
}

TEST(Check, leaves_with_the_first_error) {
    EXPECT_TRUE(both_even(2, 4));
    EXPECT_EQ(both_even(1, 3).error().on, "1");
    EXPECT_EQ(both_even(2, 3).error().on, "3");
}

}  // namespace pgtandem
