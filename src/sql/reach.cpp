#include "sql/reach.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <unordered_map>

namespace pgtandem::sql {

namespace {

std::uint64_t hash_of(std::string_view name) { return std::hash<std::string_view>{}(name); }

void sort(std::vector<std::uint64_t>& names) {
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
}

// What they show changes by DDL only, which counts as everything.
bool is_of_catalog(std::string_view schema) { return schema == "pg_catalog" || schema == "information_schema"; }

}  // namespace

Reach::Reach(CatalogRows const& rows) : is_everywhere_(!rows.anywhere.empty()) {
    for (auto const& routine : rows.routines) {
        if (!is_of_catalog(routine.schema)) functions_.push_back(hash_of(routine.name));
    }
    sort(functions_);
    for (auto const& [symbol, function] : rows.operators) operators_.push_back(hash_of(symbol));
    sort(operators_);
    std::unordered_map<std::string_view, std::string_view> names;  // by oid
    for (auto const& relation : rows.relation_names) {
        if (is_of_catalog(relation.schema)) continue;
        names.emplace(relation.oid, relation.name);
        if (relation.kind != 'r') relations_.push_back(hash_of(relation.name));
    }
    auto const add = [&](std::string const& oid) {
        if (auto const found = names.find(oid); found != names.end()) relations_.push_back(hash_of(found->second));
    };
    // What a write only looks at, as at the other side of a foreign key, is neither read by the statement nor written.
    for (auto const& edge : rows.edges) {
        if (edge.from_mode == 0 || edge.to_mode != 0) add(edge.from);
    }
    for (auto const& use : rows.uses) {
        if (has_function(use.function)) add(use.relation);
    }
    sort(relations_);
}

bool Reach::contains(Names const& names, std::string_view name) { return std::ranges::binary_search(names, hash_of(name)); }

}  // namespace pgtandem::sql
