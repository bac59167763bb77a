// Which names of a database's catalog reach beyond themselves: a view reads other relations, a trigger writes them, a function
// may do anything that its volatility allows. Of bare names, whatever their schema.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "sql/catalog_rows.hpp"

namespace pgtandem::sql {

class Reach {
public:
    // Everything does.
    Reach() = default;
    explicit Reach(CatalogRows const& rows);

    // Casts, types and domains have code of the database's own, which runs without being named.
    bool is_everywhere() const { return is_everywhere_; }
    bool has_function(std::string_view name) const { return contains(functions_, name); }
    bool has_operator(std::string_view symbol) const { return contains(operators_, symbol); }
    // To touch it may touch others: a view, a parent or a partitioned table, one with rules, with triggers that run code of the
    // database's own, with policies that look elsewhere, or whose rows are referenced with CASCADE and the like.
    bool has_relation(std::string_view name) const { return contains(relations_, name); }

private:
    using Names = std::vector<std::uint64_t>;  // hashes, sorted

    static bool contains(Names const& names, std::string_view name);

    bool is_everywhere_ = true;
    Names functions_;
    Names operators_;
    Names relations_;
};

}  // namespace pgtandem::sql
