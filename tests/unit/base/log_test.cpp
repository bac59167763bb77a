#include "base/log.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"
#include "support/temporary_folder.hpp"

namespace pgtandem {

TEST(Log, writes_lines_with_their_level_and_says_where_it_cannot) {
    TemporaryFolder const folder;
    ASSERT_TRUE(write_file(folder / "file", ""));
    auto const opened = log::open(folder / "file" / "log");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().what, "opening the log");

    ASSERT_TRUE(log::open(folder / "log"));
    log::info("{} is there", "node2");
    log::warn("100% {}");
    auto const text = read_file(folder / "log");
    ASSERT_TRUE(text);
    auto const lines = split_lines(*text);
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(lines[0].ends_with(" info node2 is there")) << lines[0];
    EXPECT_TRUE(lines[1].ends_with(" warning 100% {}")) << lines[1];
}

}  // namespace pgtandem
