#include "proxy/read_rules.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

constexpr auto silence_patience = std::chrono::milliseconds(400);
// One that is back gets its full share only after so long.
constexpr auto slow_start = std::chrono::seconds(10);
constexpr double least_start = 0.1;
constexpr double much_busier = 3;

}  // namespace

unsigned ReadRules::weight_of(ServerEntry const& server) const {
    if (weights == nullptr) return 1;
    auto const found = std::ranges::find(*weights, server.name, &ServerWeight::server);
    return found == weights->end() ? 1 : found->weight;
}

bool ReadRules::can_use(Routing const& routing, ServerEntry const& replica, Clock::time_point now) const {
    bool const is_of_cluster = needs_primary ? routing.follows_primary(replica) : routing.agrees_with_primary(replica);
    if (!is_of_cluster || weight_of(replica) == 0) return false;
    auto const& position = *replica.position;
    if (position.is_silent(now, silence_patience) || position.is_avoided(now)) return false;
    return consistency == Consistency::eventual || max_lag.count() == 0 || position.lag() <= max_lag;
}

bool ReadRules::has_share(ServerEntry const& primary) const {
    return primary.is_usable && !wants_replica && weight_of(primary) > 0;
}

double ReadRules::share_of(ServerEntry const& primary, Routing const& routing, Clock::time_point now) const {
    if (!has_share(primary)) return 0;
    auto const load = load_of(primary, now);
    double const own = weight_of(primary);
    double all = own;
    for (auto const& server : routing.servers) {
        if (!can_use(routing, server, now)) continue;
        if (load > much_busier * load_of(server, now, 2)) return 0;
        all += weight_of(server);
    }
    return own / all;
}

double ReadRules::load_of(ServerEntry const& server, Clock::time_point now, int more) const {
    auto const start = std::chrono::duration<double>(server.position->back_for(now)) / std::chrono::duration<double>(slow_start);
    auto const share = weight_of(server) * std::clamp(start, least_start, 1.0);
    return (server.position->in_use.load(std::memory_order_relaxed) + more) / share;
}

}  // namespace pgtandem::proxy
