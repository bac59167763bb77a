#include "io/loop_core.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "io/descriptors.hpp"
#include "io/stream_handle.hpp"

namespace pgtandem::io {

namespace {

// Enough for the streams that are busy in one turn; larger buffers are not worth keeping.
constexpr std::size_t spare_buffers_max = 256;
constexpr std::size_t spare_buffer_bytes_max = 32 << 10;

void send_without_delay(int fd) {
    int const on = 1;
    // Fails for a Unix socket, which never delays.
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

void LoopCore::run() {
    while (!posted_.take_stop()) turn();
}

void LoopCore::turn() {
    wait(to_tell_.empty() ? timers_.next() : Clock::time_point::min());
    tell();
    timers_.expire(now_);
    posted_.run();
    run_deferred();
    send_all();
    clean_up();
}

void LoopCore::tell() {
    for (std::size_t at = 0; at < to_tell_.size(); ++at) {
        to_tell_[at]->is_to_tell_ = false;
        to_tell_[at]->tell_owner();
    }
    to_tell_.clear();
}

// Work that is deferred meanwhile belongs to this turn too.
void LoopCore::run_deferred() {
    for (std::size_t at = 0; at < deferred_.size(); ++at) {
        auto const work = std::move(deferred_[at]);
        work();
    }
    deferred_.clear();
}

void LoopCore::send_all() {
    for (auto* const connection : to_send_) {
        connection->is_to_send_ = false;
        if (connection->is_alive()) send(*connection);
    }
    to_send_.clear();
    std::erase_if(to_tell_, [](auto const* connection) { return !connection->is_alive(); });
}

void LoopCore::send_at_end_of_turn(Connection& connection) {
    if (std::exchange(connection.is_to_send_, true)) return;
    to_send_.push_back(&connection);
}

void LoopCore::tell_in_next_turn(Connection& connection) {
    if (std::exchange(connection.is_to_tell_, true)) return;
    to_tell_.push_back(&connection);
}

ByteBuffer LoopCore::spare_buffer() {
    if (spare_buffers_.empty()) return {};
    auto buffer = std::move(spare_buffers_.back());
    spare_buffers_.pop_back();
    return buffer;
}

void LoopCore::recycle(ByteBuffer& buffer) {
    auto used = std::move(buffer);
    if (used.capacity() == 0 || used.capacity() > spare_buffer_bytes_max) return;
    if (spare_buffers_.size() == spare_buffers_max) return;
    used.clear();
    spare_buffers_.push_back(std::move(used));
}

std::unique_ptr<Stream> LoopCore::adopt(UniqueFd connected, StreamOwner& owner) {
    send_without_delay(connected.get());
    return std::make_unique<StreamHandle>(add(std::move(connected), owner, Health::open));
}

std::unique_ptr<Stream> LoopCore::connect(SocketAddress const& address, StreamOwner& owner) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (is_kept_back(fd.get())) {
        fd.reset();
        errno = EMFILE;
    }
    auto const* const to = reinterpret_cast<sockaddr const*>(&address.storage);
    auto const error = !fd || ::connect(fd.get(), to, address.length) != 0 ? errno : 0;
    auto const is_under_way = error == 0 || error == EINPROGRESS;
    if (fd) send_without_delay(fd.get());
    auto& connection = add(std::move(fd), owner, is_under_way ? Health::connecting : Health::broken);
    if (!is_under_way) {
        connection.why_broken_ = errno_text(error);
        tell_in_next_turn(connection);
    }
    return std::make_unique<StreamHandle>(connection);
}

void LoopCore::finish_connect(Connection& connection) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(connection.fd(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error != 0) return connection.broke(errno_text(error));
    connection.connected();
}

std::unique_ptr<Timer> LoopCore::make_timer(std::function<void()> expired) {
    return std::make_unique<QueuedTimer>(timers_, std::move(expired));
}

}  // namespace pgtandem::io
