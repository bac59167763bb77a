// What a stream is behind its handle: its buffers and its state. The loop's back end brings it what the kernel said and
// asks it what to send. It outlives the handle until the kernel is done with it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/byte_buffer.hpp"
#include "base/unique_fd.hpp"
#include "io/stream.hpp"
#include "io/tls_session.hpp"

namespace pgtandem::io {

class LoopCore;

class Connection {
public:
    Connection(LoopCore& loop, UniqueFd fd, StreamOwner& owner, Health health);
    Connection(Connection const&) = delete;
    virtual ~Connection() = default;

    // The back end's side.
    bool is_alive() const { return handle_ != nullptr; }
    bool wants_input() const;
    // To be told by resume_reading() of the loop when wants_input() has become true.
    void reading_stopped() { reading_stopped_ = true; }
    void connected();
    void received(std::string_view bytes);
    void ended();
    void receiving_failed(int error);
    // The bytes to be sent next; they stay where they are until sent() or the next event.
    std::string_view bytes_to_send();
    // Once these bytes are sent there is more to do: more to send, the end of the output, or an owner to be told that it has drained.
    bool awaits_sent() const { return was_above_high_ || ends_output_ || !output_.empty(); }
    void sent(std::size_t count);
    void sending_failed(int error);
    void broke(std::string why);
    void tell_owner();

    // The handle's side.
    void handle_is(Stream* handle) { handle_ = handle; }
    void abandon();
    std::string_view input() const { return window_.empty() ? pending_.view() : window_; }
    void consume(std::size_t count);
    void want_input(std::size_t bytes);
    bool at_end() const { return at_end_; }
    ByteBuffer& output();
    void flush();
    std::size_t unsent() const { return output_.size() + sending_.size(); }
    void end_output();
    void pause(bool paused);
    Health health() const { return health_; }
    void start_tls_server(TlsContext const& context, TlsStart how);
    void start_tls_client(TlsContext const& context, std::string const& host);
    // Nothing before the handshake is done.
    TlsSession const* tls() const { return tls_ && health_ == Health::open ? tls_.get() : nullptr; }
    std::string const& why_broken() const { return why_broken_; }
    void owner_is(StreamOwner& owner) { owner_ = &owner; }
    int fd() const { return fd_.get(); }

protected:
    UniqueFd fd_;

private:
    friend class LoopCore;

    void show(std::string_view bytes);
    void decrypt(std::string_view bytes);
    void encrypt_output();
    void start_tls(std::unique_ptr<TlsSession> tls);
    void break_in_next_turn(std::string why);
    void send_last_words();
    void reconsider_reading();
    void drop_output();
    void shut_down_when_sent();

    LoopCore& loop_;
    StreamOwner* owner_;
    Stream* handle_ = nullptr;
    std::string_view window_;  // the new input in the loop's memory, while the owner looks at it
    ByteBuffer pending_;       // the input that was left; if there is any, window_ is empty
    ByteBuffer output_;
    ByteBuffer sending_;  // what goes out before output_; with TLS: encrypted
    std::unique_ptr<TlsSession> tls_;
    std::size_t wanted_ = 0;
    std::string why_broken_;
    int send_error_ = 0;
    Health health_;
    bool at_end_ = false;
    bool paused_ = false;
    bool reading_stopped_ = false;
    bool flushed_ = false;
    bool ends_output_ = false;
    bool was_above_high_ = false;
    bool is_to_send_ = false;  // in the loop's list
    bool is_to_tell_ = false;  // in the loop's list
};

}  // namespace pgtandem::io
