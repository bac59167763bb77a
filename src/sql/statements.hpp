// What each kind of statement does, beyond what the names in it say.
#pragma once
#include "sql/effects.hpp"
#include "sql/statement_scan.hpp"

namespace pgtandem::sql {

Effects statement_effects(StatementScan const& scan, bool standard_conforming_strings, CatalogFacts const& facts);

}  // namespace pgtandem::sql
