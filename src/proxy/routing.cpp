#include "proxy/routing.hpp"

namespace pgtandem::proxy {

void RoutingBoard::publish(std::vector<ServerEntry> servers) {
    std::function<void()> listener;
    {
        std::lock_guard const guard(mutex_);
        if (servers == current_->servers) return;
        current_ = std::make_shared<Routing const>(Routing{current_->version + 1, std::move(servers)});
        listener = listener_;
    }
    // Not under the lock: the listener reads the board.
    if (listener) listener();
}

void RoutingBoard::on_change(std::function<void()> listener) {
    std::lock_guard const guard(mutex_);
    listener_ = std::move(listener);
}

}  // namespace pgtandem::proxy
