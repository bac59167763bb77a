#include "base/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/no_descriptors.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

namespace {

mode_t mode_of(Path const& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

std::vector<std::string> names_in(Path const& folder) {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
    return names;
}

}  // namespace

TEST(Files, are_written_whole_with_their_mode_and_nothing_beside) {
    for (auto* const write : {&write_file, &write_volatile_file}) {
        TemporaryFolder const folder;
        ASSERT_TRUE(write(folder / "file", "old", 0600));
        ASSERT_TRUE(write(folder / "file", std::string("n\0w", 3), 0640));
        EXPECT_EQ(read_file(folder / "file"), std::string("n\0w", 3));
        EXPECT_EQ(mode_of(folder / "file"), 0640U);
        EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"file"});
    }
}

TEST(Files, replace_a_link_and_never_write_through_it) {
    TemporaryFolder const folder;
    ASSERT_TRUE(write_file(folder / "elsewhere", "untouched"));
    std::filesystem::create_symlink(folder / "elsewhere", folder / "file");
    ASSERT_TRUE(write_file(folder / "file", "new"));
    EXPECT_EQ(read_file(folder / "elsewhere"), "untouched");
    EXPECT_EQ(read_file(folder / "file"), "new");
    // The place beside the target where the new content grows may not be a link either.
    std::filesystem::create_symlink(folder / "elsewhere", folder / "other.new");
    EXPECT_FALSE(write_file(folder / "other", "new"));
    EXPECT_EQ(read_file(folder / "elsewhere"), "untouched");
}

TEST(Files, that_cannot_be_written_say_where_and_why) {
    TemporaryFolder const folder;
    auto const written = write_file(folder / "missing" / "file", "x");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().what, "writing");
    EXPECT_EQ(written.error().why, "No such file or directory");
}

TEST(Files, that_are_not_there_are_an_error_or_nothing_as_asked) {
    TemporaryFolder const folder;
    auto const read = read_file(folder / "none");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().line(), "reading: " + (folder / "none").string() + ": No such file or directory");
    auto const if_there = read_file_if_there(folder / "none");
    ASSERT_TRUE(if_there);
    EXPECT_FALSE(*if_there);
    EXPECT_FALSE(read_file_if_there(folder.path()));  // a folder is there, and is no file
}

TEST(Files, larger_than_one_read_come_whole) {
    TemporaryFolder const folder;
    std::string const content(100'000, 'x');
    ASSERT_TRUE(write_volatile_file(folder / "file", content));
    EXPECT_EQ(read_file(folder / "file"), content);
}

TEST(Files, are_read_from_their_end) {
    TemporaryFolder const folder;
    ASSERT_TRUE(write_file(folder / "file", "0123456789"));
    EXPECT_EQ(read_file_end(folder / "file", 3).value(), "789");
    EXPECT_EQ(read_file_end(folder / "file", 100).value(), "0123456789");
    EXPECT_FALSE(read_file_end(folder / "none", 3));
}

TEST(Files, that_cannot_be_seen_are_not_taken_for_absent) {
    TemporaryFolder const folder;
    ASSERT_TRUE(write_file(folder / "file", "x"));
    EXPECT_TRUE(look_for(folder / "file").value());
    EXPECT_FALSE(look_for(folder / "none").value());
    EXPECT_FALSE(look_for(folder / "file" / "below").value());
    EXPECT_FALSE(look_for(folder.path() / std::string(300, 'x')));
    NoDescriptors const none;
    EXPECT_FALSE(read_file_if_there(folder / "file"));
}

TEST(Folders, are_made_with_their_parents_and_may_be_there_already) {
    TemporaryFolder const folder;
    auto const inner = folder / "a" / "b";
    ASSERT_TRUE(make_directory(inner, 0700));
    ASSERT_TRUE(make_directory(inner, 0700));
    EXPECT_EQ(mode_of(inner), 0700U);
    ASSERT_TRUE(write_file(folder / "file", ""));
    auto const made = make_directory(folder / "file");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().why, "something that is not a folder is there");
}

TEST(Folders, move_with_what_is_in_them) {
    TemporaryFolder const folder;
    ASSERT_TRUE(make_directory(folder / "from"));
    ASSERT_TRUE(write_file(folder / "from" / "file", "x"));
    ASSERT_TRUE(move_durably(folder / "from", folder / "to"));
    EXPECT_FALSE(is_there(folder / "from"));
    EXPECT_EQ(read_file(folder / "to" / "file"), "x");
    EXPECT_FALSE(move_durably(folder / "from", folder / "to"));
}

TEST(Folders, are_removed_whole_and_links_in_them_not_followed) {
    TemporaryFolder const folder;
    ASSERT_TRUE(make_directory(folder / "kept"));
    ASSERT_TRUE(write_file(folder / "kept" / "file", "x"));
    ASSERT_TRUE(make_directory(folder / "gone"));
    std::filesystem::create_directory_symlink(folder / "kept", folder / "gone" / "link");
    ASSERT_TRUE(remove_tree(folder / "gone"));
    EXPECT_FALSE(is_there(folder / "gone"));
    EXPECT_TRUE(is_there(folder / "kept" / "file"));
    EXPECT_TRUE(remove_tree(folder / "gone"));
}

TEST(Files, a_dangling_link_is_there) {
    TemporaryFolder const folder;
    std::filesystem::create_symlink(folder / "none", folder / "link");
    EXPECT_TRUE(is_there(folder / "link"));
    EXPECT_FALSE(is_there(folder / "none"));
}

TEST(Disk, use_grows_with_what_is_written) {
    TemporaryFolder const folder;
    auto const before = disk_usage(folder.path());
    ASSERT_TRUE(make_directory(folder / "inner"));
    ASSERT_TRUE(write_file(folder / "inner" / "file", std::string(1 << 16, 'x')));
    EXPECT_GE(disk_usage(folder.path()), before + (1 << 16));
    EXPECT_EQ(disk_usage(folder / "none"), 0U);
}

TEST(Disk, free_space_is_told_for_folders_that_are_to_come) {
    TemporaryFolder const folder;
    auto const free = disk_free(folder / "to" / "come");
    ASSERT_TRUE(free);
    EXPECT_GT(*free, 0U);
}

}  // namespace pgtandem
