#include "io/uring_listener.hpp"

#include <cerrno>

namespace pgtandem::io {

namespace {
constexpr auto rest_without_descriptors = 100ms;
}

UringAcceptor::UringAcceptor(UringLoop& loop, int fd, std::function<void(UniqueFd)> accepted)
    : loop_(loop), fd_(fd), accepted_(std::move(accepted)) {
    rested_ = loop_.make_timer([this] { begin(); });
    begin();
}

void UringAcceptor::begin() { loop_.ring().accept(*this, fd_); }

void UringAcceptor::completed(UringOp, int result, unsigned flags) {
    auto const is_last = (flags & IORING_CQE_F_MORE) == 0;
    if (is_last) --in_flight;
    UniqueFd connected(result >= 0 ? result : -1);
    // Also one that the kernel accepted before it heard that this is closed: that client is ours already.
    if (connected) accepted_(std::move(connected));
    if (is_closed_ || !is_last) return;
    if (result >= 0 || result == -ECONNABORTED || result == -EINTR)
        begin();
    else
        rested_->start(rest_without_descriptors);
}

void UringAcceptor::close() {
    is_closed_ = true;
    rested_.reset();
    if (in_flight > 0) loop_.ring().cancel(*this, UringOp::accept);
}

}  // namespace pgtandem::io
