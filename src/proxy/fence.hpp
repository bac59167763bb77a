// Waits until the primary shows all that a replica has shown. Of the thread that watches the replica.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "client/session.hpp"

namespace pgtandem::proxy {

// What a server counts as running: transactions that it knows to have begun and does not show.
struct Snapshot {
    std::uint64_t xmax = 0;           // this one and all later ones have not ended
    std::vector<std::uint64_t> xip{};  // before it, those that run
};

// "740:745:741,743", as pg_snapshot prints it.
std::optional<Snapshot> parse_snapshot(std::string_view text);

// The transactions that the primary does not show and that a replica with this xmax may.
std::vector<std::uint64_t> behind(Snapshot const& primary, std::uint64_t replica_xmax);

// Errors: one of the servers, or the deadline.
Status fence(Session& replica, Session& primary, Deadline deadline);

}  // namespace pgtandem::proxy
