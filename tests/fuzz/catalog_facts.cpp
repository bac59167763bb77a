// Rows of the catalog query, a line each with its columns between '|' (an empty one is NULL); a function's code among them is its author's. What
// follows from the rows does not depend on their order.
#include "sql/catalog_facts.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "support/fuzz.hpp"

using namespace pgtandem;

namespace {

std::vector<sql::CatalogFacts::Row> rows_of(std::string_view input) {
    std::vector<sql::CatalogFacts::Row> rows;
    for (auto const& line : split_lines(input)) {
        auto& row = rows.emplace_back();
        for (auto& column : split(line, '|')) row.push_back(column.empty() ? std::nullopt : std::optional(column));
    }
    return rows;
}

}  // namespace

PGTANDEM_FUZZ_TARGET(catalog_facts) {
    auto rows = rows_of(input);
    auto const facts = sql::CatalogFacts::from_rows(rows, {});
    std::ranges::reverse(rows);
    auto const again = sql::CatalogFacts::from_rows(rows, {});
    fuzz::require(facts.has_value() == again.has_value());
    if (!facts) return fuzz::require(!facts.error().why.empty());
    fuzz::require(facts->on_any_statement() == again->on_any_statement() && facts->on_ddl() == again->on_ddl());
    for (auto const& row : rows) {
        auto const name = row[1].value_or("");
        fuzz::require(facts->function(name) == again->function(name));
        fuzz::require(facts->operator_symbol(name) == again->operator_symbol(name));
        if (*row[0] == "function") fuzz::require(facts->function(name).contains(sql::Pin::unproven));
    }
}
