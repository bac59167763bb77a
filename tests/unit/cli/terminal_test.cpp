#include "cli/terminal.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cli {

TEST(RenderTable, columns_are_as_wide_as_their_widest_cell_in_characters) {
    EXPECT_EQ(render_table({{"NODE", "ROLE", "X"},
                            {"n\xC3\xB6"
                             "de1",
                             "primary", ""},
                            {"n2", "", "y"}}),
              "NODE   ROLE     X\n"
              "n\xC3\xB6"
              "de1  primary\n"
              "n2              y\n");
    EXPECT_EQ(render_table({}), "");
}

TEST(ExitStatus, tells_wrong_usage_from_failed_work) {
    EXPECT_EQ(exit_status(Error{"", "", "", "", ErrorKind::usage}), 2);
    EXPECT_EQ(exit_status(Error{}), 1);
}

TEST(PrintError, goes_to_stderr_with_what_to_try) {
    testing::internal::CaptureStderr();
    print_error(Error{"starting", "node2", "port 6442 is taken", "another --port"});
    print_error(Error{"a", "b", "c"});
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "pgtandem: starting: node2: port 6442 is taken\ntry: another --port\npgtandem: a: b: c\n");
}

}  // namespace pgtandem::cli
