// What the code of a function names, and what it can do to the session that calls it apart from that.
#pragma once
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace pgtandem::sql {

// Longer code is not read: clients wait for that.
inline constexpr std::size_t function_code_max = 64 << 10;

struct FunctionCode {
    using Names = std::set<std::string, std::less<>>;

    // More of it than is looked at: anything is to be expected.
    bool is_too_long = false;
    // False: it may change settings, carry out a text, make temporary tables or the like; or it cannot be read.
    bool is_tame = true;
    // It may carry out a text that does not stand in it, or it cannot be read: even a function that PostgreSQL lets do nothing but
    // read may then call anything.
    bool runs_text = false;
    Names called;  // what stands before "(" or behind ".", and all in its strings
    Names named;   // these and all others
    Names operators;
    bool has_unknown_operators = false;  // any may be in it
};

// 'text': of a function in SQL or PL/pgSQL, as pg_proc.prosrc has it. Words are looked at, not the grammar of either language:
// where a word could mean something else it is taken for the worse.
FunctionCode read_function_code(std::string_view text);

// In a language that nobody here reads: each word of it may be called. Never tame.
FunctionCode read_foreign_code(std::string_view text);

// What stands for code of which there is more than is looked at.
FunctionCode unread_code();

}  // namespace pgtandem::sql
