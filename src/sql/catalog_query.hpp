// What a database is asked for CatalogFacts, in sections, and how to tell cheaply which of them say something else now.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgtandem::sql {

struct CatalogSection {
    std::string_view rows;                // the query for them
    std::vector<std::size_t> signatures;  // columns of catalog_signatures_query(): one is another when the section's rows are
};

// Statements for PostgreSQL 13 to 18, all names qualified. The facts are made of the rows of all sections.
std::span<CatalogSection const> catalog_sections();

// One row.
std::string catalog_signatures_query();

}  // namespace pgtandem::sql
