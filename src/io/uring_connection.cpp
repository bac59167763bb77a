#include <cerrno>

#include "io/uring_loop.hpp"

namespace pgtandem::io {

UringConnection::UringConnection(UringLoop& loop, UniqueFd fd, StreamOwner& owner, Health health)
    : Connection(loop, std::move(fd), owner, health), loop_(loop) {
    if (health == Health::connecting) wait_until_writable();
    if (health == Health::open) start_receiving();
}

void UringConnection::completed(UringOp op, int result, unsigned flags) {
    auto const is_last = (flags & IORING_CQE_F_MORE) == 0;
    if (is_last) --in_flight;
    if (op == UringOp::poll) return became_writable();
    if (is_last) is_receiving_ = is_cancelling_ = false;
    if (result > 0) is_flooded_ = static_cast<unsigned>(result) == Uring::buffer_bytes;
    was_received(result, flags);
    if ((flags & IORING_CQE_F_BUFFER) != 0) loop_.ring().return_buffer(flags);
    update_receiving();
}

void UringConnection::was_received(int result, unsigned flags) {
    if (!is_alive()) return;
    if (result > 0) return received(loop_.ring().received(result, flags));
    if (result == 0) return ended();
    // No buffer was free, or we have cancelled it: update_receiving() says how it goes on.
    if (result == -ENOBUFS || result == -ECANCELED || result == -EINTR || result == -EAGAIN) return;
    receiving_failed(-result);
}

void UringConnection::update_receiving() {
    if (!is_alive() || fd() < 0 || health() == Health::connecting) return;
    bool const goes_on = wants_input();
    if (!goes_on) reading_stopped();
    if (goes_on && !is_receiving_) start_receiving();
    // A request that goes on takes all there is before we can stop it: a flood is taken in one buffer at a time.
    bool const is_right = goes_on && !(is_flooded_ && goes_on_receiving_);
    if (!is_receiving_ || is_cancelling_ || is_right) return;
    is_cancelling_ = true;
    loop_.ring().cancel(*this, UringOp::receive);
}

void UringConnection::start_receiving() {
    is_receiving_ = true;
    goes_on_receiving_ = !is_flooded_;
    if (goes_on_receiving_) loop_.ring().receive(*this, fd());
    else loop_.ring().receive_once(*this, fd());
}

void UringConnection::wait_until_writable() {
    is_blocked = true;
    loop_.ring().poll_output(*this, fd());
}

void UringConnection::became_writable() {
    is_blocked = false;
    if (!is_alive()) return;
    if (health() == Health::connecting)
        UringLoop::finish_connect(*this);
    else
        loop_.send_at_end_of_turn(*this);
    update_receiving();
}

void UringConnection::close_fd() {
    if (is_receiving_) loop_.ring().cancel(*this, UringOp::receive);
    if (is_blocked) loop_.ring().cancel(*this, UringOp::poll);
    if (fd() >= 0) loop_.ring().close(fd_.release());
}

}  // namespace pgtandem::io
