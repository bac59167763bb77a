#include "proxy/routing.hpp"

#include <algorithm>

namespace pgtandem::proxy {

void RoutingBoard::publish(std::vector<ServerEntry> servers) {
    {
        std::lock_guard const guard(mutex_);
        if (servers == current_->servers) return;
        Routing next{current_->version + 1, current_->epoch, std::move(servers)};
        auto const* const primary = next.primary();
        if (primary != nullptr && (primary->name != primary_ || primary->timeline != timeline_)) {
            ++next.epoch;
            primary_ = primary->name;
            timeline_ = primary->timeline;
        }
        next.has_reader = std::ranges::any_of(next.servers, [&](auto const& server) { return next.follows_primary(server); });
        current_ = std::make_shared<Routing const>(std::move(next));
    }
    // Not under the board's own lock: the listener reads it.
    std::lock_guard const guard(listening_);
    if (listener_) listener_();
}

void RoutingBoard::on_change(std::function<void()> listener) {
    std::lock_guard const guard(listening_);
    listener_ = std::move(listener);
}

}  // namespace pgtandem::proxy
