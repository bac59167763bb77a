// Shows long work as it goes: on a terminal one line a node, redrawn; elsewhere a plain line for each step done.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/deadline.hpp"

namespace pgtandem::cli {

struct NodeProgress {
    std::string name;
    std::string role;
    std::string phase;
    std::string detail;
    std::string error;
    std::uint64_t done_bytes = 0;
    std::uint64_t total_bytes = 0;
    std::map<std::string, double> seconds{};  // the steps done, and how long each took
    bool ready = false;
};

// "[######......]  45%  12 MB of 27 MB, 240 MB/s, 0.1 s left"; the bar alone is as wide as 'width'.
std::string render_bar(std::uint64_t done_bytes, std::uint64_t total_bytes, std::chrono::nanoseconds since_begun,
                       std::size_t width);

class Progress {
public:
    explicit Progress(bool on_terminal) : on_terminal_(on_terminal) {}

    void line(std::string const& text);
    void step(std::string const& name, std::chrono::nanoseconds took, std::string const& detail = {});
    void show(std::vector<NodeProgress> const& nodes);
    // Takes the steps that were done before this command as said.
    void skip(std::vector<NodeProgress> const& nodes);
    // Leaves what stands on the terminal there, for other output to follow.
    void finish();

private:
    void print_done_steps(NodeProgress const& node);
    void clear_live_lines();
    void note_copies(std::vector<NodeProgress> const& nodes);
    // As long as 'columns' at most: a line that wraps would take two rows, and only one is drawn over.
    std::string live_line(NodeProgress const& node, std::size_t columns) const;

    bool on_terminal_;
    std::size_t live_lines_ = 0;
    std::map<std::string, std::map<std::string, double>> printed_;
    std::map<std::string, std::string> printed_errors_;
    std::map<std::string, Clock::time_point> copy_begun_;
    std::map<std::string, int> copy_percent_;
};

}  // namespace pgtandem::cli
