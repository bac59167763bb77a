#include "io/descriptors.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgtandem::io {

TEST(Descriptors, the_last_ones_are_kept_back_from_sockets) {
    EXPECT_FALSE(is_kept_back(1'000'000));
    keep_back_descriptors(1000, 200);
    EXPECT_FALSE(is_kept_back(-1));
    EXPECT_FALSE(is_kept_back(799));
    EXPECT_TRUE(is_kept_back(800));
    EXPECT_TRUE(is_kept_back(999));
    keep_back_descriptors(std::numeric_limits<std::size_t>::max(), 0);
    EXPECT_FALSE(is_kept_back(1'000'000));
}

TEST(Descriptors, as_many_are_taken_as_there_may_be) {
    auto const limit = raise_descriptor_limit();
    EXPECT_GT(limit, 3U);
    EXPECT_EQ(raise_descriptor_limit(), limit);
}

}  // namespace pgtandem::io
