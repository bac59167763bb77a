// Where a statement itself says it should run.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "sql/verdict.hpp"

namespace pgtandem::sql {

enum class Hint : std::uint8_t { primary, replica };

// The first comment of the form "pgtandem: primary" or "pgtandem: replica", of either kind; "route=" may stand before
// the word. One look for the word pgtandem where there is none. A fingerprint does not tell such texts apart.
std::optional<Hint> read_hint(std::string_view text, bool standard_conforming_strings);

// A text's verdict with its hint obeyed: the user knows better what a function does that the catalog does not vouch for,
// but not whether an INSERT writes.
Verdict with_hint(Verdict verdict, std::optional<Hint> hint);

}  // namespace pgtandem::sql
