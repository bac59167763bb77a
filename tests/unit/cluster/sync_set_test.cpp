#include "cluster/sync_set.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cluster {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

namespace {

constexpr ReplicaLink streams{true, 0ns};
constexpr ReplicaLink just_gone{false, alone_after - 1ns};
constexpr ReplicaLink long_gone{false, alone_after};
constexpr ReplicaLink never{false, std::chrono::nanoseconds::max()};

}  // namespace

TEST(SyncSet, is_chosen_by_durability_and_by_who_streams) {
    struct Case {
        char const* what;
        std::map<std::string, ReplicaLink> replicas;
        Names sync, strict;
    };
    for (auto const& row : {
             Case{"no replica", {}, {}, {}},
             Case{"all stream", {{"a", streams}, {"b", streams}}, {"a", "b"}, {"a", "b"}},
             Case{"one was just lost", {{"a", streams}, {"b", just_gone}}, {"a", "b"}, {"a", "b"}},
             Case{"one is gone", {{"a", streams}, {"b", long_gone}}, {"a"}, {"a", "b"}},
             Case{"all are gone: sync goes on alone", {{"a", long_gone}, {"b", long_gone}}, {}, {"a", "b"}},
             Case{"none has ever streamed: nobody to wait for", {{"a", never}, {"b", never}}, {}, {}},
             Case{"a new one beside one that is gone", {{"a", long_gone}, {"b", never}}, {}, {"a", "b"}},
         }) {
        EXPECT_EQ(choose_sync_set(Durability::sync, row.replicas), row.sync) << row.what;
        EXPECT_EQ(choose_sync_set(Durability::strict, row.replicas), row.strict) << row.what;
        EXPECT_EQ(choose_sync_set(Durability::async, row.replicas), Names{}) << row.what;
    }
}

TEST(SyncSet, is_joined_by_who_streams_and_is_not_in_it) {
    for (auto const durability : {Durability::sync, Durability::strict}) {
        EXPECT_FALSE(is_joining(durability, {}, {}));
        EXPECT_FALSE(is_joining(durability, {}, {"a"}));
        EXPECT_FALSE(is_joining(durability, {"a"}, {"a", "b"}));
        EXPECT_TRUE(is_joining(durability, {"a"}, {}));
        EXPECT_TRUE(is_joining(durability, {"a", "b"}, {"a"}));
    }
    EXPECT_FALSE(is_joining(Durability::async, {"a"}, {}));
}

TEST(SyncSet, is_written_as_postgresql_reads_it) {
    EXPECT_EQ(synchronous_standby_names({}), "");
    EXPECT_EQ(synchronous_standby_names({"node2"}), "ANY 1 (\"node2\")");
    EXPECT_EQ(synchronous_standby_names({"node2", "a\"b"}), "ANY 1 (\"node2\", \"a\"\"b\")");
}

}  // namespace pgtandem::cluster
