#include "proxy/fence.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

TEST(Fence, ReadsSnapshots) {
    auto const some = parse_snapshot("740:745:741,743");
    ASSERT_TRUE(some);
    EXPECT_EQ(some->xmax, 745U);
    EXPECT_EQ(some->xip, (std::vector<std::uint64_t>{741, 743}));
    auto const none = parse_snapshot("740:740:");
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->xip.empty());
    for (auto const* bad : {"", "740", "740:745", "740:x:", "740:745:741,", "740:745:a", "740:745:741:1"}) EXPECT_FALSE(parse_snapshot(bad)) << bad;
}

TEST(Fence, OnlyWhatAReplicaCanShowHasToBeWaitedFor) {
    Snapshot const primary{745, {741, 743}};
    EXPECT_EQ(behind(primary, 745), (std::vector<std::uint64_t>{741, 743}));
    EXPECT_EQ(behind(primary, 743), (std::vector<std::uint64_t>{741}));
    EXPECT_TRUE(behind(primary, 741).empty());
}

}  // namespace
}  // namespace pgtandem::proxy
