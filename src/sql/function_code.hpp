// What the code of a function names, and what it can do to the session that calls it apart from that.
#pragma once
#include <set>
#include <string>
#include <string_view>

namespace pgtandem::sql {

struct FunctionCode {
    using Names = std::set<std::string, std::less<>>;

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

}  // namespace pgtandem::sql
