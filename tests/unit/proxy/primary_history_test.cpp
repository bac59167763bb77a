#include "proxy/primary_history.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

TEST(PrimaryHistory, TellsHowLongAgoThePrimaryWentOn) {
    PrimaryHistory history;
    auto const begun = Clock::now();
    auto const at = [&](int seconds) { return begun + std::chrono::seconds(seconds); };
    EXPECT_EQ(history.lag(5, at(0)), std::chrono::milliseconds(0));
    history.note(1, at(0), 10);
    history.note(1, at(1), 20);
    history.note(1, at(2), 20);
    history.note(1, at(3), 30);
    EXPECT_EQ(history.lag(30, at(9)), std::chrono::milliseconds(0));
    EXPECT_EQ(history.lag(25, at(9)), std::chrono::seconds(6));
    EXPECT_EQ(history.lag(10, at(9)), std::chrono::seconds(8));
    EXPECT_EQ(history.lag(1, at(9)), std::chrono::seconds(9));
}

TEST(PrimaryHistory, AnotherPrimaryBeginsAnew) {
    PrimaryHistory history;
    auto const now = Clock::now();
    history.note(1, now, 1000);
    history.note(2, now + std::chrono::seconds(1), 500);
    EXPECT_EQ(history.lag(600, now + std::chrono::seconds(2)), std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace pgtandem::proxy
