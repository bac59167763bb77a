#include "proxy/samples.hpp"

namespace pgtandem::proxy {

std::uint64_t Samples::take_ticket() {
    auto const ticket = ++last_ticket_;
    bell_.ring();
    return ticket;
}

Sample Samples::latest() const {
    std::lock_guard const guard(mutex_);
    return latest_;
}

void Samples::publish(Sample const& sample) {
    std::lock_guard const guard(mutex_);
    latest_ = sample;
}

void Samples::on_news(std::function<void()> listener) {
    std::lock_guard const guard(mutex_);
    listener_ = std::move(listener);
}

void Samples::tell_news() const {
    if (!has_waiters()) return;
    std::lock_guard const guard(mutex_);
    if (listener_) listener_();
}

}  // namespace pgtandem::proxy
