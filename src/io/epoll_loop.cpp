#include "io/epoll_loop.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/epoll_connection.hpp"
#include "io/epoll_listener.hpp"

namespace pgtandem::io {

namespace {

constexpr std::uint32_t always = EPOLLIN | EPOLLRDHUP | EPOLLET;

class EpollWaker final : public EpollTarget {
public:
    explicit EpollWaker(PostedWork& posted) : posted_(posted) {}
    void on_ready(std::uint32_t) override { posted_.woken(); }

private:
    PostedWork& posted_;
};

int milliseconds_until(Clock::time_point until) {
    if (until == Clock::time_point::min()) return 0;
    if (until == Clock::time_point::max()) return -1;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

}  // namespace

EpollLoop::EpollLoop() : scratch_(new char[scratch_bytes]) {}

EpollLoop::~EpollLoop() = default;

Result<std::unique_ptr<Loop>> EpollLoop::make() {
    std::unique_ptr<EpollLoop> loop(new EpollLoop);
    loop->epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    if (!loop->epoll_) return fail_errno("making an event loop", "epoll");
    PGTANDEM_CHECK(loop->posted().open());
    loop->waker_ = std::make_unique<EpollWaker>(loop->posted());
    loop->watch(EPOLL_CTL_ADD, loop->posted().wakes(), EPOLLIN, *loop->waker_);
    return loop;
}

void EpollLoop::watch(int operation, int fd, std::uint32_t events, EpollTarget& target) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &target;
    epoll_ctl(epoll_.get(), operation, fd, &event);
}

void EpollLoop::unwatch(int fd) const { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void EpollLoop::free_at_end_of_turn(std::unique_ptr<EpollTarget> target) { closed_.push_back(std::move(target)); }

Connection& EpollLoop::add(UniqueFd fd, StreamOwner& owner, Health health) {
    auto* const connection = new EpollConnection(*this, std::move(fd), owner, health);
    connection->is_blocked = health == Health::connecting;
    auto const events = connection->is_blocked ? always | EPOLLOUT : always;
    if (connection->fd() >= 0) watch(EPOLL_CTL_ADD, connection->fd(), events, *connection);
    return *connection;
}

std::unique_ptr<Listener> EpollLoop::listen(int listening_fd, std::function<void(UniqueFd)> accepted) {
    auto acceptor = std::make_unique<EpollAcceptor>(*this, listening_fd, std::move(accepted));
    return std::make_unique<EpollListener>(*this, std::move(acceptor));
}

void EpollLoop::wait(Clock::time_point until) {
    auto const timeout = to_read_.empty() ? milliseconds_until(until) : 0;
    auto const count = epoll_wait(epoll_.get(), events_.data(), events_max, timeout);
    begin_turn();
    for (int at = 0; at < count; ++at) {
        auto const& event = events_[static_cast<std::size_t>(at)];
        static_cast<EpollTarget*>(event.data.ptr)->on_ready(event.events);
    }
    read_on();
}

void EpollLoop::read(EpollConnection& connection) {
    if (!connection.is_readable) return;
    if (!connection.wants_input()) return connection.reading_stopped();
    auto const got = ::recv(connection.fd(), scratch_.get(), scratch_bytes, MSG_DONTWAIT);
    if (got > 0) {
        auto const count = static_cast<std::size_t>(got);
        connection.is_readable = count == scratch_bytes || connection.is_hung_up;
        connection.received({scratch_.get(), count});
        if (connection.is_readable && connection.is_alive()) read_later(connection);
    } else if (got == 0) {
        connection.ended();
    } else if (errno == EINTR) {
        read_later(connection);
    } else if (errno == EAGAIN) {
        connection.is_readable = false;
    } else {
        connection.receiving_failed(errno);
    }
}

void EpollLoop::read_later(EpollConnection& connection) {
    if (std::exchange(connection.is_to_read, true)) return;
    to_read_.push_back(&connection);
}

// One more piece for each that has more; who still has more is read in the next turn, so that none keeps the others
// waiting.
void EpollLoop::read_on() {
    reading_.swap(to_read_);
    for (auto* const connection : reading_) {
        connection->is_to_read = false;
        if (connection->is_alive()) read(*connection);
    }
    reading_.clear();
}

void EpollLoop::resume_reading(Connection& connection) { read_later(static_cast<EpollConnection&>(connection)); }

void EpollLoop::send(Connection& connection) {
    auto& target = static_cast<EpollConnection&>(connection);
    while (!target.is_blocked) {
        auto const bytes = target.bytes_to_send();
        if (bytes.empty()) return;
        auto const sent = ::send(target.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return target.sending_failed(errno);
        auto const count = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        if (count < bytes.size()) wait_until_writable(target);
        target.sent(count);
    }
}

// Only now: a Unix socket says "writable" whenever its peer has read something.
void EpollLoop::wait_until_writable(EpollConnection& connection) const {
    connection.is_blocked = true;
    watch(EPOLL_CTL_MOD, connection.fd(), always | EPOLLOUT, connection);
}

void EpollLoop::became_writable(EpollConnection& connection) {
    connection.is_blocked = false;
    watch(EPOLL_CTL_MOD, connection.fd(), always, connection);
    if (connection.health() == Health::connecting) return finish_connect(connection);
    send_at_end_of_turn(connection);
}

void EpollLoop::close(Connection& connection) {
    auto& target = static_cast<EpollConnection&>(connection);
    if (target.fd() >= 0) unwatch(target.fd());
    target.close_fd();
    std::erase(to_read_, &target);
    closed_.emplace_back(&target);
}

}  // namespace pgtandem::io
