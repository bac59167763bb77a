#include "base/result.hpp"

#include <gtest/gtest.h>

namespace pgtandem {

TEST(Error, says_what_on_what_and_why) {
    Error const error{"starting", "node2", "port 6442 is taken"};
    EXPECT_EQ(error.line(), "starting: node2: port 6442 is taken");
}

TEST(Error, leaves_out_what_is_empty) {
    Error const error{"", "node2", "gone"};
    EXPECT_EQ(error.line(), "node2: gone");
}

TEST(Error, gains_context_as_it_rises) {
    auto const error = Error{"connecting", "127.0.0.1:6441", "timed out"}.within("adding node2");
    EXPECT_EQ(error.line(), "adding node2: connecting: 127.0.0.1:6441: timed out");
}

}  // namespace pgtandem
