// The program's own log. Until it is opened, nothing is written; a line never holds a secret.
#pragma once
#include <fmt/format.h>

#include <string_view>

#include "base/files.hpp"
#include "base/result.hpp"

namespace pgtandem::log {

// Writes to 'path' from now on, at most 'files' files of 'bytes' each.
Status open(Path const& path, std::size_t bytes = 8 << 20, std::size_t files = 4);

// Writes to standard error: for who keeps the program's output by himself.
void open_on_stderr();

void info(std::string_view line);
void warn(std::string_view line);

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) requires(sizeof...(Args) > 0) {
    info(std::string_view(fmt::format(format, std::forward<Args>(args)...)));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) requires(sizeof...(Args) > 0) {
    warn(std::string_view(fmt::format(format, std::forward<Args>(args)...)));
}

}  // namespace pgtandem::log
