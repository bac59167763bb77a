#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/text.hpp"

namespace pgtandem::cli {

namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width(std::string const& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xC0) != 0x80; }));
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::size_t terminal_columns(int fd) {
    winsize size{};
    constexpr std::size_t usual = 80;
    return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

std::string render_table(std::vector<std::vector<std::string>> const& rows) {
    std::vector<std::size_t> widths;
    for (auto const& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string text;
    for (auto const& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - width(row[i]) + 2, ' ');
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

void print_error(Error const& error) {
    std::cout.flush();
    fmt::print(stderr, "pgtandem: {}\n", error.line());
    if (!error.hint.empty()) fmt::print(stderr, "try: {}\n", error.hint);
}

int exit_status(Error const& error) { return error.kind == ErrorKind::usage ? 2 : 1; }

bool ask(std::string const& question) {
    fmt::print("{} [y/N] ", question);
    std::fflush(stdout);
    std::string answer;
    std::getline(std::cin, answer);
    return trim(answer) == "y" || trim(answer) == "yes";
}

}  // namespace pgtandem::cli
