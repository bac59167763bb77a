#include "io/epoll_listener.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace pgtandem::io {

namespace {
constexpr int accepts_per_turn = 16;
constexpr auto rest_without_descriptors = 100ms;
}  // namespace

EpollAcceptor::EpollAcceptor(EpollLoop& loop, int fd, std::function<void(UniqueFd)> accepted)
    : loop_(loop), fd_(fd), accepted_(std::move(accepted)) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
    rested_ = loop_.make_timer([this] { loop_.watch(EPOLL_CTL_ADD, fd_, EPOLLIN | EPOLLEXCLUSIVE, *this); });
    loop_.watch(EPOLL_CTL_ADD, fd_, EPOLLIN | EPOLLEXCLUSIVE, *this);
}

void EpollAcceptor::on_ready(std::uint32_t) {
    for (int count = 0; count < accepts_per_turn && !is_closed_; ++count) {
        UniqueFd connected(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
        if (connected) {
            accepted_(std::move(connected));
            continue;
        }
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno != EAGAIN) rest();
        return;
    }
}

void EpollAcceptor::rest() {
    loop_.unwatch(fd_);
    rested_->start(rest_without_descriptors);
}

void EpollAcceptor::close() {
    is_closed_ = true;
    rested_.reset();
    loop_.unwatch(fd_);
}

}  // namespace pgtandem::io
