// String constants: their value, and a way to write them again that does not depend on the session.
#pragma once
#include <optional>
#include <string>

#include "sql/lexer.hpp"

namespace pgtandem::sql {

// A constant that reads the same whatever standard_conforming_strings is; nothing for B'', X'', N'' and U&''.
std::optional<std::string> portable_literal(Token const& token, bool standard_conforming_strings);

// What a plain '...' without backslashes and continuations or a $$...$$ stands for; nothing for any other constant.
std::optional<std::string> plain_value(Token const& token);

}  // namespace pgtandem::sql
