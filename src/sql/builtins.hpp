// PostgreSQL's own functions, and those of well-known extensions in C, that change session state or run SQL given as
// text.
#pragma once
#include <span>
#include <string_view>

#include "sql/pins.hpp"

namespace pgtandem::sql {

struct PinningFunction {
    std::string_view name;
    Pins pins;
};

std::span<PinningFunction const> pinning_functions();

// Whole families by their first letters: dblink_connect, crosstab3.
Pins pins_by_prefix(std::string_view name);

// Of a function as far as its name alone tells, in whichever schema it is.
Pins default_pins(std::string_view name);

// The grammar has words of its own for these operators: IN, BETWEEN, LIKE, ORDER BY ...
bool is_unnamed_operator(std::string_view symbol);

}  // namespace pgtandem::sql
