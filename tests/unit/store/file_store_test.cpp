#include "store/file_store.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

using Json = nlohmann::json;

class FileStoreTest : public testing::TestWithParam<FileStore::Kind> {
protected:
    TemporaryFolder folder_;
    FileStore store_{folder_ / "store.json", GetParam()};
};

// What reading a file of this content says.
std::string error_of(std::string const& content) {
    TemporaryFolder const folder;
    EXPECT_TRUE(write_file(folder / "store.json", content));
    auto const read = FileStore(folder / "store.json").read();
    return read ? "" : read.error().line();
}

}  // namespace

TEST_P(FileStoreTest, is_empty_at_revision_0_before_the_first_write) {
    auto const snapshot = store_.read();
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->revision, 0U);
    EXPECT_TRUE(snapshot->keys.empty());
}

TEST_P(FileStoreTest, keeps_each_key_with_the_revision_that_wrote_it) {
    EXPECT_EQ(store_.write({{"a", 1}, {"b", {{"c", "d"}}}}), 1U);
    EXPECT_EQ(store_.write({{"b", "new"}}), 2U);
    auto const snapshot = FileStore(store_.file()).read();
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->revision, 2U);
    EXPECT_EQ(snapshot->keys.at("a").value, 1);
    EXPECT_EQ(snapshot->keys.at("a").revision, 1U);
    EXPECT_EQ(snapshot->keys.at("b").value, "new");
    EXPECT_EQ(snapshot->keys.at("b").revision, 2U);
}

TEST_P(FileStoreTest, removes_a_key_with_null) {
    ASSERT_TRUE(store_.write({{"a", 1}, {"b", 2}}));
    ASSERT_TRUE(store_.write({{"a", nullptr}}));
    auto const snapshot = store_.read();
    ASSERT_TRUE(snapshot);
    EXPECT_FALSE(snapshot->keys.contains("a"));
    EXPECT_EQ(snapshot->keys.at("b").revision, 1U);
}

TEST_P(FileStoreTest, writes_nothing_when_somebody_wrote_meanwhile) {
    ASSERT_EQ(store_.write({{"a", 1}}, 0), 1U);
    auto const late = store_.write({{"a", 2}}, 0);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().why, "changed meanwhile");
    EXPECT_EQ(store_.read()->keys.at("a").value, 1);
    EXPECT_EQ(store_.write({{"a", 3}}, 1), 2U);
}

TEST_P(FileStoreTest, loses_no_write_of_many_writers_and_shows_readers_whole_files_only) {
    constexpr int writers = 4;
    constexpr int rounds = 10;
    ASSERT_TRUE(store_.write({{"count", 0}}));
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&] {
            for (int done = 0; done < rounds;) {
                auto const snapshot = store_.read();
                ASSERT_TRUE(snapshot);
                auto const next = snapshot->keys.at("count").value.get<int>() + 1;
                if (store_.write({{"count", next}}, snapshot->revision)) ++done;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(store_.read()->keys.at("count").value, writers * rounds);
    EXPECT_EQ(store_.read()->revision, 1U + writers * rounds);
}

TEST_P(FileStoreTest, wakes_the_one_who_waits_for_a_change) {
    ASSERT_TRUE(store_.write({{"a", 1}}));
    EXPECT_FALSE(store_.wait_for_change(1, Deadline::in(0ms)));
    EXPECT_TRUE(store_.wait_for_change(0, Deadline::never()));
    std::thread writer([&] { EXPECT_TRUE(store_.write({{"a", 2}})); });
    EXPECT_TRUE(store_.wait_for_change(1, Deadline::never()));
    writer.join();
}

TEST_P(FileStoreTest, wakes_the_one_who_waits_for_a_change_in_any_of_two) {
    FileStore other(store_.file().parent_path() / "other.json", GetParam());
    EXPECT_FALSE(FileStore::wait_for_any_change({{&store_, 0}, {&other, 0}}, Deadline::in(0ms)));
    for (auto const* written : {&store_, &other}) {
        auto const before = std::pair(store_.read()->revision, other.read()->revision);
        std::thread writer([&] { EXPECT_TRUE(written->write({{"a", 1}})); });
        EXPECT_TRUE(
            FileStore::wait_for_any_change({{&store_, before.first}, {&other, before.second}}, Deadline::never()));
        writer.join();
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FileStoreTest, testing::Values(FileStore::Kind::durable, FileStore::Kind::volatile_),
                         [](auto const& kind) {
                             return kind.param == FileStore::Kind::durable ? "durable" : "volatile";
                         });

TEST(FileStore, says_which_file_is_torn_or_is_none_of_its_own) {
    for (auto const* content :
         {"", "{", R"({"revision": 4, "keys": {"a": {"rev)", "garbage", "[]", "null", "{}", "\xFF\xFE",
          R"({"revision": "4", "keys": {}})", R"({"revision": -1, "keys": {}})", R"({"revision": 1, "keys": []})",
          R"({"revision": 1, "keys": {"a": 1}})", R"({"revision": 1, "keys": {"a": {"value": 1}}})"}) {
        auto const line = error_of(content);
        EXPECT_TRUE(line.starts_with("reading the cluster's state: ")) << content << " gave: " << line;
        EXPECT_NE(line.find("/store.json: "), std::string::npos) << line;
    }
}

TEST(FileStore, does_not_write_over_what_it_cannot_read) {
    TemporaryFolder const folder;
    FileStore const store(folder / "store.json");
    ASSERT_TRUE(write_file(store.file(), "torn"));
    EXPECT_FALSE(store.write({{"a", 1}}));
    EXPECT_EQ(read_file(store.file()), "torn");
}

TEST(FileStore, says_where_it_cannot_write) {
    FileStore const store("/none/of/this/store.json");
    auto const written = store.write({{"a", 1}});
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().line(), "locking: /none/of/this/store.json.lock: No such file or directory");
}

}  // namespace pgtandem
