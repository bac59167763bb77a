#include "io/uring_loop.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "io/uring_listener.hpp"

namespace pgtandem::io {

namespace {

class UringWaker final : public UringTarget {
public:
    UringWaker(Uring& ring, PostedWork& posted) : ring_(ring), posted_(posted) {
        ring_.poll_input(*this, posted_.wakes());
    }
    void completed(UringOp, int, unsigned flags) override {
        posted_.woken();
        if ((flags & IORING_CQE_F_MORE) == 0) ring_.poll_input(*this, posted_.wakes());
    }

private:
    Uring& ring_;
    PostedWork& posted_;
};

}  // namespace

Result<std::unique_ptr<Loop>> UringLoop::make() {
    std::unique_ptr<UringLoop> loop(new UringLoop);
    PGTANDEM_TRY(ring, Uring::make());
    loop->ring_ = std::move(ring);
    PGTANDEM_CHECK(loop->posted().open());
    loop->waker_ = std::make_unique<UringWaker>(*loop->ring_, loop->posted());
    return loop;
}

UringLoop::~UringLoop() = default;

// What the last turn asked for is not left to whoever takes the loop down.
void UringLoop::run() {
    LoopCore::run();
    ring_->submit();
}

Connection& UringLoop::add(UniqueFd fd, StreamOwner& owner, Health health) {
    return *new UringConnection(*this, std::move(fd), owner, health);
}

std::unique_ptr<Listener> UringLoop::listen(int listening_fd, std::function<void(UniqueFd)> accepted) {
    auto acceptor = std::make_unique<UringAcceptor>(*this, listening_fd, std::move(accepted));
    return std::make_unique<UringListener>(*this, std::move(acceptor));
}

void UringLoop::wait(Clock::time_point until) {
    // A send that is done wholly completes without a word.
    bool const is_awaited = std::ranges::any_of(sending_, [](auto const* connection) { return connection->awaits_sent(); });
    ring_->submit_and_wait(is_awaited ? Clock::time_point::min() : until);
    begin_turn();
    account_sends();
    for (auto const& completion : ring_->completions()) {
        if (completion.op != UringOp::send)
            completion.target->completed(completion.op, completion.result, completion.flags);
    }
}

void UringLoop::send(Connection& connection) {
    auto& target = static_cast<UringConnection&>(connection);
    if (target.is_blocked) return;
    auto const bytes = target.bytes_to_send();
    if (bytes.empty()) return;
    target.sending_bytes = bytes.size();
    target.send_result = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    ring_->send(target, target.fd(), bytes);
    sending_.push_back(&target);
}

// The sends of the turn before: each was carried out while it was submitted, and has a completion only if something is
// left of it. This comes before all events, so nobody has touched the bytes.
void UringLoop::account_sends() {
    if (sending_.empty()) return;
    for (auto const& completion : ring_->completions()) {
        if (completion.op != UringOp::send) continue;
        static_cast<UringConnection*>(completion.target)->send_result = completion.result;
    }
    for (auto* const connection : sending_) account(*connection);
    sending_.clear();
}

void UringLoop::account(UringConnection& connection) {
    auto const result = connection.send_result;
    if (result < 0 && result != -EAGAIN && result != -EINTR) return connection.sending_failed(-result);
    auto const count = result < 0 ? 0 : static_cast<std::size_t>(result);
    if (count < connection.sending_bytes) connection.wait_until_writable();
    connection.sent(count);
    if (connection.unsent() > 0) send_at_end_of_turn(connection);
}

void UringLoop::resume_reading(Connection& connection) { static_cast<UringConnection&>(connection).update_receiving(); }

void UringLoop::close(Connection& connection) {
    auto& target = static_cast<UringConnection&>(connection);
    target.close_fd();
    closed_.emplace_back(&target);
}

void UringLoop::clean_up() {
    std::erase_if(closed_, [](auto const& target) { return target->in_flight == 0; });
}

}  // namespace pgtandem::io
