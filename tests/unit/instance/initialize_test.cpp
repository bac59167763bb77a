#include "instance/initialize.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

struct Node : TemporaryFolder {
    NodePaths paths{path()};
};

// A data folder that holds this text, so that one can be told from another.
void make_data(Path const& data, std::string const& text) {
    ASSERT_TRUE(make_directory(data));
    ASSERT_TRUE(write_file(data / "PG_VERSION", text));
}

}  // namespace

TEST(ParseProgress, reads_pg_basebackups_lines_in_bytes) {
    auto const progress = parse_progress("    1024/23456 kB (4%), 0/1 tablespace (...ata.clone/base/1/1259)");
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->done_bytes, 1024U * 1024);
    EXPECT_EQ(progress->total_bytes, 23456U * 1024);
    EXPECT_EQ(parse_progress("23456/23456 kB (100%), 1/1 tablespace")->done_bytes, 23456U * 1024);
}

TEST(ParseProgress, passes_over_other_lines) {
    for (auto const* line : {"", "/", "pg_basebackup: starting background WAL receiver", "1/ kB", "/2 kB", "1x/2 kB",
                             "kB 1/2", "1/2", "-1/2 kB", "99999999999999999999/1 kB", "1/2x kB"}) {
        EXPECT_FALSE(parse_progress(line)) << line;
    }
}

TEST(InstallClone, puts_the_copy_into_its_place_and_keeps_what_was_there) {
    Node const node;
    make_data(node.paths.ready(), "first");
    ASSERT_TRUE(install_clone(node.paths));
    EXPECT_EQ(read_file(node.paths.data() / "PG_VERSION"), "first");
    EXPECT_FALSE(is_there(node.paths.old()));
    for (auto const* text : {"second", "third"}) {
        auto const before = *read_file(node.paths.data() / "PG_VERSION");
        make_data(node.paths.ready(), text);
        ASSERT_TRUE(install_clone(node.paths));
        EXPECT_EQ(read_file(node.paths.data() / "PG_VERSION"), text);
        EXPECT_EQ(read_file(node.paths.old() / "PG_VERSION"), before);
        EXPECT_FALSE(is_there(node.paths.ready()));
    }
}

TEST(InstallClone, goes_on_where_it_was_killed_between_its_two_moves) {
    Node const node;
    make_data(node.paths.old(), "old");
    make_data(node.paths.ready(), "new");
    ASSERT_TRUE(install_clone(node.paths));
    EXPECT_EQ(read_file(node.paths.data() / "PG_VERSION"), "new");
    EXPECT_EQ(read_file(node.paths.old() / "PG_VERSION"), "old");
}

TEST(DataGeneration, is_0_without_data_and_1_where_no_file_says) {
    Node const node;
    EXPECT_EQ(data_generation(node.paths), 0);
    make_data(node.paths.data(), "15");
    EXPECT_EQ(data_generation(node.paths), 1);
    ASSERT_TRUE(write_file(node.paths.data() / "pgtandem.generation", "7\n"));
    EXPECT_EQ(data_generation(node.paths), 7);
}

TEST(WriteSettings, writes_only_what_differs) {
    Node const node;
    auto const data = node.paths.data();
    make_data(data, "15");
    EXPECT_FALSE(settings_are_current(data, "a = 1\n", false).value());
    EXPECT_EQ(write_settings(data, "a = 1\n", false), true);
    EXPECT_EQ(write_settings(data, "a = 1\n", false), false);
    EXPECT_FALSE(is_there(data / "standby.signal"));
    EXPECT_EQ(write_settings(data, "a = 2\n", true), true);
    EXPECT_TRUE(settings_are_current(data, "a = 2\n", true).value());
    EXPECT_FALSE(settings_are_current(data, "a = 2\n", false).value());
    EXPECT_EQ(read_file(data / our_settings_file), "a = 2\n");
}

TEST(ReplayedLimits, are_read_from_what_pg_controldata_says) {
    Node const node;
    ASSERT_TRUE(write_file(node / "pg_controldata",
                           "#!/bin/sh\necho 'pg_control version number: 1300'\necho 'max_connections setting:  120'\n"
                           "echo 'max_prepared_xacts setting:           3'\necho 'max_locks_per_xact setting: 64'\n",
                           0755));
    auto const limits = replayed_limits({node.path(), 15, "15.0"}, node.paths.data());
    ASSERT_TRUE(limits) << limits.error().line();
    EXPECT_EQ(*limits,
              (std::map<std::string, int>{
                  {"max_connections", 120}, {"max_prepared_transactions", 3}, {"max_locks_per_transaction", 64}}));
}

}  // namespace pgtandem
