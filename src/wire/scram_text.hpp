// The attributes SCRAM messages are made of ("n=...,r=..."), and PostgreSQL's words for what is wrong with them.
#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace pgtandem::wire {

tl::unexpected<Error> scram_error(std::string message, std::string detail = {}, std::string sqlstate = "08P01");
tl::unexpected<Error> malformed_scram(std::string detail);

// The first character of 'text' as PostgreSQL shows it, an end as 0x00.
std::string shown_character(std::string_view text);

// Takes "<name>=<value>" and the comma behind it from the front of 'rest'.
Result<std::string_view> read_attribute(std::string_view& rest, char name);
// The same with any letter for a name.
Result<std::pair<char, std::string_view>> read_any_attribute(std::string_view& rest);
// Printable ASCII without a comma, and not empty.
bool is_scram_printable(std::string_view text);

}  // namespace pgtandem::wire
