#include "base/deadline.hpp"

#include <gtest/gtest.h>

namespace pgtandem {

TEST(Deadline, has_passed_or_has_not) {
    EXPECT_TRUE(Deadline::in(0ms).passed());
    EXPECT_FALSE(Deadline::in(1h).passed());
    EXPECT_FALSE(Deadline::never().passed());
}

TEST(Deadline, gives_poll_whole_milliseconds_and_never_more_than_a_minute) {
    EXPECT_EQ(Deadline::in(-1s).poll_milliseconds(), 0);
    EXPECT_EQ(Deadline::never().poll_milliseconds(), 60'000);
    EXPECT_EQ(Deadline::in(1h).poll_milliseconds(), 60'000);
    auto const soon = Deadline::in(30s).poll_milliseconds();
    EXPECT_GT(soon, 0);
    EXPECT_LE(soon, 30'000);
}

TEST(Deadline, the_earlier_of_two_wins) {
    EXPECT_TRUE(Deadline::never().earlier_of(Deadline::in(0ms)).passed());
    EXPECT_TRUE(Deadline::in(0ms).earlier_of(Deadline::never()).passed());
}

}  // namespace pgtandem
