// From the rows of catalog_sections() to what speaks against a replica.
#pragma once
#include "sql/catalog_facts.hpp"
#include "sql/catalog_rows.hpp"

namespace pgtandem::sql {

// 'pins' are the facts with all but the doubts in them.
Doubts find_doubts(CatalogRows const& rows, FunctionOverrides const& overrides, CatalogFacts const& pins);

}  // namespace pgtandem::sql
