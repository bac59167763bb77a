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

TEST(Fence, AsksTheReplicaForWhatThePrimaryDoesNotShow) {
    Fence fence;
    EXPECT_EQ(fence.step(), Fence::Step::idle);
    fence.begin(7, 3);
    EXPECT_EQ(fence.step(), Fence::Step::wants_answer);
    EXPECT_EQ(fence.ticket(), 3U);
    EXPECT_EQ(fence.question({745, {741, 743}}), "'{741,743}', 745");
    fence.take_answer(745, {});
    EXPECT_EQ(fence.step(), Fence::Step::idle);
    EXPECT_EQ(fence.covers(), 7U);
}

TEST(Fence, WaitsForTheEndOfWhatTheReplicaShowsAndThePrimaryDoesNot) {
    Fence fence;
    fence.begin(1, 1);
    fence.question({745, {741, 743}});
    fence.take_answer(747, {743, 746});
    EXPECT_EQ(fence.step(), Fence::Step::wants_end);
    fence.take_end({746, {741}});
    EXPECT_EQ(fence.step(), Fence::Step::wants_end);
    fence.take_end({750, {746}});
    EXPECT_EQ(fence.step(), Fence::Step::wants_end);
    fence.take_end({750, {741}});
    EXPECT_EQ(fence.step(), Fence::Step::idle);
}

TEST(Fence, BeginsAnewWhereTheReplicaIsFurtherThanItWasAskedFor) {
    Fence fence;
    fence.begin(1, 1);
    fence.question({745, {}});
    fence.take_answer(745 + 1001, {});
    EXPECT_EQ(fence.step(), Fence::Step::wants_answer);
    fence.question({2000, {}});
    fence.take_answer(1746, {});
    EXPECT_EQ(fence.step(), Fence::Step::idle);
}

}  // namespace
}  // namespace pgtandem::proxy
