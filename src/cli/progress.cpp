#include "cli/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/text.hpp"
#include "cli/terminal.hpp"

namespace pgtandem::cli {

namespace {

constexpr std::size_t widest_bar = 24;
constexpr std::size_t plain_columns = 120;

std::chrono::nanoseconds as_duration(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

// An agent's steps in the order they come, and what a user reads.
struct StepWord {
    char const* step;
    char const* word;
};
constexpr StepWord step_words[] = {{"initialize", "data folder made"},
                                   {"clone", "copied and verified"},
                                   {"start", "started"},
                                   {"roles", "roles, slots and database"},
                                   {"stream", "streams"}};

}  // namespace

std::string render_bar(std::uint64_t done_bytes, std::uint64_t total_bytes, std::chrono::nanoseconds since_begun,
                       std::size_t width) {
    // The total is an estimate that the server makes at the start; a copy may end up larger.
    auto const total = std::max({total_bytes, done_bytes, std::uint64_t{1}});
    auto const share = static_cast<double>(done_bytes) / static_cast<double>(total);
    auto const filled = static_cast<std::size_t>(share * static_cast<double>(width));
    auto const seconds = std::max(1e-3, std::chrono::duration<double>(since_begun).count());
    auto const rate = static_cast<double>(done_bytes) / seconds;
    auto const text = fmt::format("[{:#>{}}{:.>{}}] {:3.0f}%  {} of {}", "", filled, "", width - filled, share * 100,
                                  human_bytes(done_bytes), human_bytes(total));
    if (done_bytes >= total) return text + ", is verified";
    if (done_bytes == 0) return text;
    return text + fmt::format(", {}/s, {} left", human_bytes(static_cast<std::uint64_t>(rate)),
                              human_duration(as_duration(static_cast<double>(total - done_bytes) / rate)));
}

void Progress::line(std::string const& text) {
    clear_live_lines();
    fmt::print("{}\n", text);
    std::fflush(stdout);
}

void Progress::step(std::string const& name, std::chrono::nanoseconds took, std::string const& detail) {
    line(fmt::format("  {:<8} {:<9} {:<28} {:>8}{}", "", "", name, human_duration(took),
                     detail.empty() ? "" : "  " + detail));
}

void Progress::show(std::vector<NodeProgress> const& nodes) {
    note_copies(nodes);
    for (auto const& node : nodes) print_done_steps(node);
    if (!on_terminal_) return;
    clear_live_lines();
    auto const columns = terminal_columns(STDOUT_FILENO);
    for (auto const& node : nodes) {
        if (node.ready) continue;
        fmt::print("{}\n", live_line(node, columns));
        ++live_lines_;
    }
    std::fflush(stdout);
}

void Progress::skip(std::vector<NodeProgress> const& nodes) {
    for (auto const& node : nodes) printed_[node.name] = node.seconds;
}

void Progress::finish() {
    clear_live_lines();
    std::fflush(stdout);
}

void Progress::print_done_steps(NodeProgress const& node) {
    auto& printed = printed_[node.name];
    for (auto const& [step, word] : step_words) {
        auto const done = node.seconds.find(step);
        if (done == node.seconds.end() || (printed.contains(step) && printed[step] == done->second)) continue;
        printed[step] = done->second;
        line(fmt::format("  {:<8} {:<9} {:<28} {:>8}", node.name, node.role, word,
                         human_duration(as_duration(done->second))));
    }
    if (!node.error.empty() && printed_errors_[node.name] != node.error) {
        printed_errors_[node.name] = node.error;
        line(fmt::format("  {:<8} {:<9} {}", node.name, node.role, node.error));
    }
    if (on_terminal_ || node.total_bytes == 0) return;
    // Elsewhere than on a terminal a long copy says every tenth part of itself.
    auto const percent = static_cast<int>(100 * node.done_bytes / std::max<std::uint64_t>(1, node.total_bytes));
    auto& said = copy_percent_[node.name];
    if (percent / 10 <= said / 10 || percent >= 100) return;
    said = percent;
    line(live_line(node, plain_columns));
}

void Progress::clear_live_lines() {
    // Up one line and clear it, as often as there are lines.
    for (; live_lines_ > 0; --live_lines_) fmt::print("\033[A\033[2K");
}

void Progress::note_copies(std::vector<NodeProgress> const& nodes) {
    for (auto const& node : nodes) {
        if (node.phase != "clone") {
            copy_begun_.erase(node.name);
        } else {
            copy_begun_.try_emplace(node.name, Clock::now());
        }
    }
}

std::string Progress::live_line(NodeProgress const& node, std::size_t columns) const {
    auto const start = fmt::format("  {:<8} {:<9} ", node.name, node.role);
    auto const begun = copy_begun_.find(node.name);
    if (begun == copy_begun_.end() || node.total_bytes == 0) {
        return (start + (node.detail.empty() ? node.phase : node.detail)).substr(0, columns);
    }
    auto const bar = [&](std::size_t width) {
        return start + render_bar(node.done_bytes, node.total_bytes, Clock::now() - begun->second, width);
    };
    auto const others = bar(0).size();
    return bar(columns > others ? std::min(widest_bar, columns - others) : 0).substr(0, columns);
}

}  // namespace pgtandem::cli
