// What a value of search_path names. Pure.
#pragma once
#include <string_view>

#include "sql/known_names.hpp"

namespace pgtandem::sql {

// Of a value as SHOW and pg_settings give it: "\"$user\", public". Nothing where it cannot be read. 'user' is who "$user" is,
// empty where that is not known.
SearchPath path_of_value(std::string_view value, std::string_view user);

// Of the statement that sets it, as SettingChange::replay gives it. Nothing where it cannot be read.
SearchPath path_of_statement(std::string_view statement, std::string_view user);

}  // namespace pgtandem::sql
