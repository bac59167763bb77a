// Small work on text: splitting, sizes and times for people, the nearest known word.
#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem {

std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> split_lines(std::string_view text);
std::string join(std::span<std::string const> parts, std::string_view separator);
std::string replace_all(std::string text, std::string_view from, std::string_view to);

// The bytes that pairs of hexadecimal digits stand for; "" where they are not such.
std::string from_hex(std::string_view digits);

// 'text' as one word of a POSIX shell.
std::string shell_quoted(std::string_view text);

// FNV-1a: the same between runs and builds, which std::hash does not promise.
std::uint64_t stable_hash(std::string_view text);

// "0 B", "1.5 MB", "12 GB": powers of 1024, as PostgreSQL's own settings count them.
std::string human_bytes(std::uint64_t bytes);
// "0.4 ms", "35 ms", "1.2 s", "3 min 20 s", "5 h 3 min", "2 d 4 h".
std::string human_duration(std::chrono::nanoseconds span);

// The known word that is nearest to 'word' by edit distance, or "" where none is near enough to be meant.
std::string nearest(std::string_view word, std::span<std::string const> known);
// "did you mean X?" or "".
std::string did_you_mean(std::string_view word, std::span<std::string const> known);

}  // namespace pgtandem
