// Places in the WAL, as values.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.hpp"

namespace pgtandem {

using Lsn = Strong<struct LsnTag, std::uint64_t>;
using Timeline = Strong<struct TimelineTag, std::uint32_t>;

// "16/B374D848", as PostgreSQL's pg_lsn prints it.
std::string to_string(Lsn lsn);
std::optional<Lsn> parse_lsn(std::string_view text);
// 0/0, which comes before all, where it is none: a server that has no position says so.
Lsn lsn_or_zero(std::string_view text);

// Where a server's WAL stands. Deliberately without an order: across timelines only the history can tell
// which of two positions is ahead, so that comparison is a function that takes the history.
struct WalPosition {
    Timeline timeline;
    Lsn lsn;
    bool operator==(WalPosition const&) const = default;
};

}  // namespace pgtandem
