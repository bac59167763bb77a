#include "base/bell.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace pgtandem {
namespace {

bool is_rung(Bell const& bell) {
    pollfd entry{bell.fd(), POLLIN, 0};
    return ::poll(&entry, 1, 0) > 0;
}

TEST(Bell, WakesOneThatSleepsAndNobodyElse) {
    Bell bell;
    bell.ring();
    EXPECT_FALSE(is_rung(bell));
    bell.sleeps();
    EXPECT_FALSE(is_rung(bell));
    bell.ring();
    bell.ring();
    EXPECT_TRUE(is_rung(bell));
    bell.is_awake();
    EXPECT_FALSE(is_rung(bell));
}

}  // namespace
}  // namespace pgtandem
