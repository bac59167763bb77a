#include "cli/progress.hpp"

#include <gtest/gtest.h>

namespace pgtandem::cli {

namespace {

using namespace std::chrono_literals;

std::string shown(bool on_terminal, std::vector<std::vector<NodeProgress>> const& looks) {
    testing::internal::CaptureStdout();
    Progress progress(on_terminal);
    for (auto const& look : looks) progress.show(look);
    progress.finish();
    return testing::internal::GetCapturedStdout();
}

NodeProgress copying(std::uint64_t done, std::uint64_t total) {
    NodeProgress node{"node2", "replica", "clone", "copies the primary", ""};
    node.done_bytes = done;
    node.total_bytes = total;
    return node;
}

std::size_t count(std::string const& text, std::string const& word) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) ++found;
    return found;
}

}  // namespace

TEST(RenderBar, shows_the_share_the_rate_and_the_time_left) {
    EXPECT_EQ(render_bar(12 << 20, 24 << 20, 1s, 24),
              "[############............]  50%  12.0 MB of 24.0 MB, 12.0 MB/s, 1.0 s left");
    EXPECT_EQ(render_bar(0, 1024, 1s, 24), "[........................]   0%  0 B of 1.0 kB");
}

TEST(RenderBar, stands_at_the_end_when_the_copy_outgrows_the_estimate_or_none_is_there) {
    EXPECT_TRUE(render_bar(4096, 1024, 1s, 24).starts_with("[########################] 100%  4.0 kB of 4.0 kB"));
    EXPECT_TRUE(render_bar(0, 0, 0s, 24).starts_with("[........................]   0%"));
}

TEST(Progress, says_each_step_once_and_each_error_once) {
    NodeProgress node{"node1", "primary", "start", "", "port is taken"};
    node.seconds = {{"initialize", 0.5}};
    auto later = node;
    later.seconds["start"] = 0.25;
    auto const text = shown(false, {{node}, {node}, {later}, {later}});
    EXPECT_EQ(count(text, "data folder made"), 1U) << text;
    EXPECT_EQ(count(text, "500 ms"), 1U) << text;
    EXPECT_EQ(count(text, "started"), 1U) << text;
    EXPECT_EQ(count(text, "port is taken"), 1U) << text;
}

TEST(Progress, elsewhere_than_on_a_terminal_a_copy_says_every_tenth_part_and_no_escape) {
    std::vector<std::vector<NodeProgress>> looks;
    for (std::uint64_t done = 0; done <= 1000; ++done) looks.push_back({copying(done, 1000)});
    auto const text = shown(false, looks);
    EXPECT_EQ(count(text, "\n"), 9U) << text;
    EXPECT_EQ(count(text, "\033"), 0U);
}

TEST(Progress, on_a_terminal_redraws_one_line_a_node_and_leaves_none) {
    auto const text = shown(true, {{copying(1, 4), copying(2, 4)}, {copying(3, 4), copying(4, 4)}});
    EXPECT_EQ(count(text, "\n"), 4U);
    EXPECT_EQ(count(text, "\033[A\033[2K"), 4U) << "every line drawn is cleared again";
}

TEST(Progress, takes_steps_of_earlier_commands_as_said) {
    NodeProgress node{"node1", "primary", "watch", "", ""};
    node.seconds = {{"initialize", 0.5}};
    testing::internal::CaptureStdout();
    Progress progress(false);
    progress.skip({node});
    progress.show({node});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace pgtandem::cli
