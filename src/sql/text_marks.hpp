// What of a statement's very text counts where it runs, which its fingerprint does not tell: a hint in a comment, a name in a string.
#pragma once
#include <cstddef>
#include <optional>
#include <string_view>

#include "sql/hint.hpp"

namespace pgtandem::sql {

// A longer text takes more than a millisecond or two to read or to judge.
inline constexpr std::size_t long_text_bytes = 16 << 10;

struct TextMarks {
    std::optional<Hint> hint;
    bool names_termination = false;

    bool empty() const { return !hint && !names_termination; }
};

// Whether it names pg_terminate_backend, wherever: in a string it may be carried out too.
bool names_termination(std::string_view text);
TextMarks read_marks(std::string_view text);

}  // namespace pgtandem::sql
