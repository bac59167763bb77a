// What both kinds of loop have in common: the order of things in a turn, timers, posted and deferred work, and the
// buffers that streams share. A back end waits for the kernel's events and carries out the sends.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "io/connection.hpp"
#include "io/loop.hpp"
#include "io/posted_work.hpp"
#include "io/timer_queue.hpp"

namespace pgtandem::io {

class LoopCore : public Loop {
public:
    void run() override;
    void stop() override { posted_.stop(); }
    void post(std::function<void()> work) override { posted_.post(std::move(work)); }
    void defer(std::function<void()> work) override { deferred_.push_back(std::move(work)); }
    Clock::time_point now() const override { return now_; }
    std::unique_ptr<Stream> adopt(UniqueFd connected, StreamOwner& owner) override;
    std::unique_ptr<Stream> connect(SocketAddress const& address, StreamOwner& owner) override;
    std::unique_ptr<Timer> make_timer(std::function<void()> expired) override;

    // For connections.
    void send_at_end_of_turn(Connection& connection);
    // Of what comes about where the owner cannot be called.
    void tell_in_next_turn(Connection& connection);
    virtual void resume_reading(Connection& connection) = 0;
    // Nobody owns it any more: the descriptor is to be closed and the connection freed when nothing refers to it.
    virtual void close(Connection& connection) = 0;
    // A buffer that has been used before, or a new one; and back again.
    ByteBuffer spare_buffer();
    void recycle(ByteBuffer& buffer);
    // For what TLS decrypts, while its owner looks at it.
    ByteBuffer& plain_text() { return plain_text_; }

protected:
    LoopCore() = default;

    // A connection of the back end's own kind; if it is connecting it is to be told when it is writable.
    virtual Connection& add(UniqueFd fd, StreamOwner& owner, Health health) = 0;
    // Waits for events until that time at most, calls begin_turn() and hands the events out.
    virtual void wait(Clock::time_point until) = 0;
    virtual void send(Connection& connection) = 0;
    // The turn's end: no list of the core holds a closed connection.
    virtual void clean_up() = 0;

    void begin_turn() { now_ = Clock::now(); }
    // The socket of a connection that is connecting is writable: it is connected or refused.
    static void finish_connect(Connection& connection);
    PostedWork& posted() { return posted_; }

private:
    void turn();
    void tell();
    void run_deferred();
    void send_all();

    Clock::time_point now_ = Clock::now();
    PostedWork posted_;
    TimerQueue timers_;
    std::vector<std::function<void()>> deferred_;
    std::vector<Connection*> to_send_;
    std::vector<Connection*> to_tell_;
    std::vector<ByteBuffer> spare_buffers_;
    ByteBuffer plain_text_;
};

}  // namespace pgtandem::io
