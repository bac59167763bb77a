// What is known of PostgreSQL's own functions, relations and settings beyond what the catalog says: which are harmless
// on a replica though they are VOLATILE, and which are not though they are STABLE.
#pragma once
#include <optional>
#include <string_view>

#include "sql/reason.hpp"

namespace pgtandem::sql {

// Of a function in pg_catalog; nothing where its volatility tells all.
std::optional<Reason> builtin_function_doubt(std::string_view name);

// A system view or catalog whose rows tell of one server or one session.
bool is_local_relation(std::string_view name);

// A setting that has the same value on each node, or is brought along with the session.
bool is_portable_setting(std::string_view name);

}  // namespace pgtandem::sql
