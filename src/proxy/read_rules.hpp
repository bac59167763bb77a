// By which rules a session's reads are shared, and what they say of a server. Of one moment: made anew for each read.
#pragma once
#include <chrono>
#include <vector>

#include "proxy/endpoint_settings.hpp"
#include "proxy/routing.hpp"

namespace pgtandem::proxy {

struct ReadRules {
    Consistency consistency = Consistency::session;
    std::chrono::milliseconds max_lag{0};  // 0: none
    std::vector<ServerWeight> const* weights = nullptr;
    bool wants_replica = false;  // a hint: the primary has no share
    bool needs_primary = true;   // no replica is read on while there is no primary

    // Own writes and earlier reads do not matter.
    bool is_loose() const { return consistency == Consistency::eventual || consistency == Consistency::bounded; }
    unsigned weight_of(ServerEntry const& server) const;
    // Whether a replica is one that may be read on, if it is far enough.
    bool can_use(Routing const& routing, ServerEntry const& replica, Clock::time_point now) const;
    // Whether a primary has a part in the reads.
    bool has_share(ServerEntry const& primary) const;
    // That part of all reads, from 0 to 1: nothing while the primary has much more to do than some replica.
    double share_of(ServerEntry const& primary, Routing const& routing, Clock::time_point now) const;
    // Of a server, if it had so many transactions more: the less, the sooner it gets the next one.
    double load_of(ServerEntry const& server, Clock::time_point now, int more = 1) const;
};

}  // namespace pgtandem::proxy
