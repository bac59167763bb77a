#include "io/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/result.hpp"
#include "io/loop_core.hpp"

namespace pgtandem::io {

Connection::Connection(LoopCore& loop, UniqueFd fd, StreamOwner& owner, Health health)
    : fd_(std::move(fd)), loop_(loop), owner_(&owner), health_(health) {}

bool Connection::wants_input() const {
    if (!is_alive() || at_end_ || health_ == Health::connecting || health_ == Health::broken) return false;
    if (health_ == Health::handshaking) return true;
    return !paused_ && input().size() < std::max(input_high, wanted_);
}

void Connection::connected() {
    health_ = Health::open;
    if (flushed_) loop_.send_at_end_of_turn(*this);
    tell_owner();
}

void Connection::received(std::string_view bytes) { tls_ ? decrypt(bytes) : show(bytes); }

void Connection::show(std::string_view bytes) {
    if (pending_.empty())
        window_ = bytes;
    else
        pending_.append(bytes);
    if (input().size() >= wanted_) wanted_ = 0;
    tell_owner();
    if (is_alive()) pending_.append(window_);
    window_ = {};
}

void Connection::ended() {
    at_end_ = true;
    if (send_error_ != 0) return broke(errno_text(send_error_));
    if (health_ == Health::handshaking) return broke("the connection was closed during the TLS handshake");
    tell_owner();
}

void Connection::receiving_failed(int error) {
    at_end_ = true;
    broke(errno_text(error));
}

std::string_view Connection::bytes_to_send() {
    if (health_ == Health::connecting || health_ == Health::broken) return {};
    if (unsent() > output_high) was_above_high_ = true;
    if (sending_.empty() && flushed_ && health_ == Health::open) {
        flushed_ = false;
        if (tls_)
            encrypt_output();
        else
            sending_.swap(output_);
    }
    return sending_.view();
}

void Connection::sent(std::size_t count) {
    sending_.consume(count);
    if (sending_.empty()) loop_.recycle(sending_);
    shut_down_when_sent();
    if (was_above_high_ && unsent() < output_low) {
        was_above_high_ = false;
        loop_.tell_in_next_turn(*this);
    }
}

// What the peer said before it went away may still wait to be read: a server's last words. So the stream is broken only
// when the input has come to its end, unless nobody reads it.
void Connection::sending_failed(int error) {
    drop_output();
    send_error_ = error;
    if (wants_input()) return;
    break_in_next_turn(errno_text(error));
}

void Connection::drop_output() {
    loop_.recycle(sending_);
    loop_.recycle(output_);
    flushed_ = false;
}

void Connection::broke(std::string why) {
    health_ = Health::broken;
    why_broken_ = std::move(why);
    drop_output();
    tell_owner();
}

void Connection::break_in_next_turn(std::string why) {
    health_ = Health::broken;
    why_broken_ = std::move(why);
    drop_output();
    loop_.tell_in_next_turn(*this);
}

void Connection::tell_owner() {
    if (is_alive()) owner_->on_event(*handle_);
}

void Connection::abandon() {
    handle_ = nullptr;
    window_ = {};
    if (health_ == Health::open && send_error_ == 0) {
        bytes_to_send();
        if (tls_) tls_->close(sending_);
        send_last_words();
    }
    drop_output();
    loop_.close(*this);
}

// One try, without waiting: a last message before the end nearly always fits.
void Connection::send_last_words() {
    if (!sending_.empty()) ::send(fd_.get(), sending_.data(), sending_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Connection::consume(std::size_t count) {
    if (!window_.empty()) {
        window_.remove_prefix(count);
    } else {
        pending_.consume(count);
        pending_.release();
    }
    reconsider_reading();
}

void Connection::want_input(std::size_t bytes) {
    wanted_ = input().size() < bytes ? bytes : 0;
    reconsider_reading();
}

void Connection::pause(bool paused) {
    paused_ = paused;
    reconsider_reading();
}

void Connection::reconsider_reading() {
    if (!reading_stopped_ || !wants_input()) return;
    reading_stopped_ = false;
    loop_.resume_reading(*this);
}

ByteBuffer& Connection::output() {
    if (output_.capacity() == 0) output_ = loop_.spare_buffer();
    return output_;
}

void Connection::end_output() {
    ends_output_ = true;
    flush();
    shut_down_when_sent();
}

void Connection::shut_down_when_sent() {
    if (ends_output_ && unsent() == 0) ::shutdown(fd_.get(), SHUT_WR);
}

void Connection::flush() {
    if (health_ == Health::broken || send_error_ != 0) return drop_output();
    if (output_.empty()) return;
    flushed_ = true;
    loop_.send_at_end_of_turn(*this);
}

}  // namespace pgtandem::io
