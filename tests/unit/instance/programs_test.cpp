#include "instance/programs.hpp"

#include <gtest/gtest.h>

#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

// Scripts that look like PostgreSQL's programs.
void make_programs(Path const& folder, std::string const& version) {
    ASSERT_TRUE(make_directory(folder, 0755));
    for (auto const* name : {"postgres", "initdb", "pg_basebackup", "pg_controldata", "pg_verifybackup"}) {
        ASSERT_TRUE(write_file(folder / name, "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n", 0755));
    }
}

}  // namespace

TEST(ParseVersion, reads_what_postgres_says_of_itself) {
    struct Case {
        std::string_view line, version;
    };
    for (auto const& [line, version] : {Case{"postgres (PostgreSQL) 15.20 (Debian 15.20-0)\n", "15.20"},
                                        {"postgres (PostgreSQL) 18beta1\n", "18beta1"},
                                        {"postgres (PostgreSQL) 16.1", "16.1"},
                                        {"postgres (PostgreSQL) ", ""},
                                        {"psql (PostgreSQL) 15.20", ""},
                                        {"", ""}}) {
        EXPECT_EQ(parse_version(line), version) << line;
    }
}

TEST(FindPrograms, takes_the_folder_it_is_given) {
    TemporaryFolder const folder;
    make_programs(folder.path(), "16.3");
    auto const found = find_programs(folder.path(), std::nullopt);
    ASSERT_TRUE(found) << found.error().line();
    EXPECT_EQ(found->major, 16);
    EXPECT_EQ(found->version, "16.3");
    EXPECT_EQ(*found / "initdb", folder / "initdb");
}

TEST(FindPrograms, says_what_is_wrong_with_the_folder_it_is_given) {
    TemporaryFolder const folder;
    make_programs(folder / "old", "12.9");
    make_programs(folder / "strange", "");
    make_programs(folder / "part", "16.3");
    ASSERT_TRUE(remove_tree(folder / "part" / "pg_verifybackup"));
    make_programs(folder / "other", "16.3");
    struct Case {
        char const* name;
        std::optional<int> major;
        std::string_view word;
    };
    for (auto const& [name, major, word] : {Case{"old", {}, "older than 13"},
                                            {"strange", {}, "asking for the version"},
                                            {"part", {}, "pg_verifybackup is not there"},
                                            {"other", 15, "the cluster's data is of version 15"},
                                            {"none", {}, "postgres is not there"}}) {
        auto const found = find_programs(folder / name, major);
        ASSERT_FALSE(found) << name;
        EXPECT_NE(found.error().line().find(word), std::string::npos) << found.error().line();
    }
}

}  // namespace pgtandem
