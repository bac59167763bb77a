// SET, RESET and SELECT set_config(): the changes of settings that are tracked. Pure.
#pragma once
#include "sql/cursor.hpp"
#include "sql/effects.hpp"

namespace pgtandem::sql {

// 'cursor' stands behind the word SET or RESET.
void read_set(Cursor& cursor, bool standard_conforming_strings, Effects& effects);
void read_reset(Cursor& cursor, Effects& effects);

// A statement that calls set_config: tracked where it is nothing but that call on constants, harmless where each call
// ends with the transaction, unproven otherwise.
void read_set_config(std::string_view statement, bool standard_conforming_strings, Effects& effects);

}  // namespace pgtandem::sql
