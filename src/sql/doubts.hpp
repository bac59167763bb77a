// What a database's catalog says against running something on a replica. Part of CatalogFacts.
#pragma once
#include <map>
#include <string>

#include "sql/known_names.hpp"
#include "sql/reach.hpp"

namespace pgtandem::sql {

struct Doubts {
    bool is_complete = false;  // made of a catalog; without one nothing is known to be harmless
    KnownNames functions;
    KnownNames relations;
    std::map<std::string, Reason, std::less<>> operators;  // all by their symbols
    // Casts, domains and operator classes are used without being named.
    Reason on_any_statement = Reason::read;
    std::string on_any_statement_function;
    Reach reach;
};

}  // namespace pgtandem::sql
