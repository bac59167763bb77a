// An io_uring with the buffers that its sockets receive into. Requests are queued and go to the kernel together, with
// the wait for completions, in one system call.
#pragma once
#include <liburing.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "base/deadline.hpp"
#include "base/result.hpp"

namespace pgtandem::io {

enum class UringOp : std::uint64_t { receive, send, poll };

// What a request belongs to. It lives until the last completion of its requests has come.
class UringTarget {
public:
    virtual ~UringTarget() = default;
    virtual void completed(UringOp op, int result, unsigned flags) = 0;

    unsigned in_flight = 0;  // requests whose last completion has not come
};

struct Completion {
    UringTarget* target;
    UringOp op;
    int result;
    unsigned flags;
};

class Uring {
public:
    static constexpr unsigned buffers = 64;
    static constexpr unsigned buffer_bytes = 32 << 10;

    static Result<std::unique_ptr<Uring>> make();
    Uring(Uring const&) = delete;
    ~Uring();

    // Requests of a target. Receiving and polling for input go on until they are cancelled or fail.
    void receive(UringTarget& target, int fd);
    // One buffer's worth at most.
    void receive_once(UringTarget& target, int fd);
    void poll_input(UringTarget& target, int fd);
    void poll_output(UringTarget& target, int fd);
    // Done, as far as it can be, when it has been submitted; it completes only if it was not done wholly.
    void send(UringTarget& target, int fd, std::string_view bytes);
    void close(int fd);
    void cancel(UringTarget& target, UringOp op);

    // Submits and waits for at least one completion, until that time at most; fills completions().
    void submit_and_wait(Clock::time_point until);
    void submit();
    std::vector<Completion> const& completions() const { return completions_; }

    std::string_view received(int result, unsigned flags) const;
    // Gives the buffer back to the kernel.
    void return_buffer(unsigned flags);

private:
    Uring() = default;
    Status open();
    Status add_buffers();
    void enable();
    bool is_foreign() const { return is_enabled_ && std::this_thread::get_id() != owner_; }
    void collect();
    io_uring_sqe* request();
    static void finish(io_uring_sqe* request, UringTarget& target, UringOp op);


    io_uring ring_{};
    bool is_open_ = false;
    bool is_enabled_ = false;
    // The thread that enabled the ring: the kernel takes requests from no other. What is taken down by another one, when that
    // thread has ended, asks for nothing more.
    std::thread::id owner_;
    std::unique_ptr<io_uring_sqe> nowhere_ = std::make_unique<io_uring_sqe>();
    struct Unmap {
        void operator()(void* memory) const;
    };
    std::unique_ptr<void, Unmap> memory_;
    io_uring_buf_ring* free_buffers_ = nullptr;
    char* buffer_memory_ = nullptr;
    std::vector<Completion> completions_;
};

}  // namespace pgtandem::io
