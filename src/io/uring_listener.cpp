#include "io/uring_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace pgtandem::io {

namespace {
constexpr int accepts_per_turn = 64;
constexpr auto rest_without_descriptors = 100ms;
}  // namespace

UringAcceptor::UringAcceptor(UringLoop& loop, int fd, std::function<void(UniqueFd)> accepted)
    : loop_(loop), fd_(fd), accepted_(std::move(accepted)) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
    again_ = loop_.make_timer([this] { accept_some(); });
    loop_.ring().poll_input(*this, fd_);
}

void UringAcceptor::completed(UringOp, int, unsigned flags) {
    bool const is_last = (flags & IORING_CQE_F_MORE) == 0;
    if (is_last) --in_flight;
    if (is_closed_) return;
    if (is_last) loop_.ring().poll_input(*this, fd_);
    accept_some();
}

void UringAcceptor::accept_some() {
    for (int count = 0; count < accepts_per_turn; ++count) {
        UniqueFd connected(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
        if (connected) {
            accepted_(std::move(connected));
            if (is_closed_) return;
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno != EAGAIN) again_->start(rest_without_descriptors);
        return;
    }
    again_->start(Clock::duration::zero());
}

void UringAcceptor::close() {
    is_closed_ = true;
    again_.reset();
    if (in_flight > 0) loop_.ring().cancel(*this, UringOp::poll);
}

}  // namespace pgtandem::io
