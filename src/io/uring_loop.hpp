// The loop on io_uring: one system call in a turn, which carries the turn's sends and waits for what comes next. Each
// socket has one receive request that goes on completing, into buffers all share.
#pragma once
#include "io/loop_core.hpp"
#include "io/uring.hpp"

namespace pgtandem::io {

class UringLoop;

class UringConnection final : public Connection, public UringTarget {
public:
    UringConnection(UringLoop& loop, UniqueFd fd, StreamOwner& owner, Health health);

    void completed(UringOp op, int result, unsigned flags) override;
    // Begins or ends receiving, as is wanted now.
    void update_receiving();
    void start_receiving();
    void wait_until_writable();
    // The number is handed over to the kernel, to be closed after what was requested before.
    void close_fd();

    bool is_blocked = false;        // waits until it is writable
    std::size_t sending_bytes = 0;  // what was handed to the kernel in this turn
    int send_result = 0;            // of this turn's send, if it was not done completely

private:
    void was_received(int result, unsigned flags);
    void became_writable();

    UringLoop& loop_;
    bool is_receiving_ = false;
    bool goes_on_receiving_ = false;  // the request that is at work is one that goes on
    bool is_flooded_ = false;         // more comes at once than a buffer holds
    bool is_cancelling_ = false;
};

class UringLoop final : public LoopCore {
public:
    static Result<std::unique_ptr<Loop>> make();
    ~UringLoop() override;

    LoopKind kind() const override { return LoopKind::io_uring; }
    void run() override;
    std::unique_ptr<Listener> listen(int listening_fd, std::function<void(UniqueFd)> accepted) override;
    void resume_reading(Connection& connection) override;
    void close(Connection& connection) override;

    // For targets.
    void free_when_complete(std::unique_ptr<UringTarget> target) { closed_.push_back(std::move(target)); }
    Uring& ring() { return *ring_; }
    using LoopCore::finish_connect;

private:
    UringLoop() = default;
    Connection& add(UniqueFd fd, StreamOwner& owner, Health health) override;
    void wait(Clock::time_point until) override;
    void send(Connection& connection) override;
    void clean_up() override;

    void account_sends();
    void account(UringConnection& connection);

    std::vector<std::unique_ptr<UringTarget>> closed_;
    std::vector<UringConnection*> sending_;
    std::unique_ptr<UringTarget> waker_;
    std::unique_ptr<Uring> ring_;  // ends before what its requests refer to
};

}  // namespace pgtandem::io
