// What the code of a function that may write can do to the session that calls it, apart from what it touches.
#pragma once
#include <set>
#include <string>
#include <string_view>

namespace pgtandem::sql {

struct FunctionBody {
    // False: it may change settings, carry out a text, make temporary tables or the like; or it cannot be read.
    bool is_tame = true;
    std::set<std::string, std::less<>> named;  // all names in it, also those in its strings
};

// 'text': of a function in SQL or PL/pgSQL, as pg_proc.prosrc has it. Words are looked at, not the grammar of either language:
// where a word could mean something else it is taken for the worse.
FunctionBody read_function_body(std::string_view text);

}  // namespace pgtandem::sql
