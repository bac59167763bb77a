// One thread's event loop. Everything but post() and stop() is for that thread only.
#pragma once
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>

#include "base/deadline.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "io/stream.hpp"

namespace pgtandem::io {

enum class LoopKind { automatic, io_uring, epoll };

// An address to connect to or to listen on; made from a numeric address and port or from a Unix socket's path.
struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = 0;

    static Result<SocketAddress> tcp(std::string const& numeric_host, std::uint16_t port);
    static Result<SocketAddress> unix_socket(std::string const& path);
};

// Calls 'expired' once, on the loop's thread, unless it is stopped or destroyed before. Restarting costs no allocation.
class Timer {
public:
    virtual ~Timer() = default;
    virtual void start(Clock::duration span) = 0;
    virtual void stop() = 0;
    virtual bool is_running() const = 0;
};

class Listener {
public:
    // Accepts no more; the descriptor stays open for its owner. What was accepted at that moment still comes, until the loop ends.
    virtual ~Listener() = default;
};

class Loop {
public:
    // automatic: io_uring where the kernel lets us, else epoll. Error when a kind asked for by name cannot be had.
    static Result<std::unique_ptr<Loop>> make(LoopKind kind);
    virtual ~Loop() = default;

    virtual LoopKind kind() const = 0;
    // Turns until stop() is called.
    virtual void run() = 0;
    virtual void stop() = 0;                            // from any thread
    virtual void post(std::function<void()> work) = 0;  // from any thread; runs in one of the next turns
    // Runs after the events of this turn and before its sends. For work that events put off; from the loop's thread.
    virtual void defer(std::function<void()> work) = 0;

    // The time at which this turn began.
    virtual Clock::time_point now() const = 0;

    virtual std::unique_ptr<Stream> adopt(UniqueFd connected, StreamOwner& owner) = 0;
    // The stream is 'connecting' first.
    virtual std::unique_ptr<Stream> connect(SocketAddress const& address, StreamOwner& owner) = 0;
    virtual std::unique_ptr<Listener> listen(int listening_fd, std::function<void(UniqueFd)> accepted) = 0;
    virtual std::unique_ptr<Timer> make_timer(std::function<void()> expired) = 0;
};

}  // namespace pgtandem::io
