// The loop on epoll: each socket is registered once, edge-triggered. A readable socket is read once into memory that
// all share; it is read again only when that was full.
#pragma once
#include <sys/epoll.h>

#include <array>
#include <cstdint>

#include "io/loop_core.hpp"

namespace pgtandem::io {

// What an epoll event points to. It lives until the end of the turn in which it was closed, since the same batch may
// hold an event for it.
class EpollTarget {
public:
    virtual ~EpollTarget() = default;
    virtual void on_ready(std::uint32_t events) = 0;
};

class EpollConnection;

class EpollLoop final : public LoopCore {
public:
    static Result<std::unique_ptr<Loop>> make();
    ~EpollLoop() override;

    LoopKind kind() const override { return LoopKind::epoll; }
    std::unique_ptr<Listener> listen(int listening_fd, std::function<void(UniqueFd)> accepted) override;
    void resume_reading(Connection& connection) override;
    void close(Connection& connection) override;

    // For targets.
    void watch(int operation, int fd, std::uint32_t events, EpollTarget& target) const;
    void unwatch(int fd) const;
    void free_at_end_of_turn(std::unique_ptr<EpollTarget> target);
    void read(EpollConnection& connection);
    void became_writable(EpollConnection& connection);

private:
    EpollLoop();
    Connection& add(UniqueFd fd, StreamOwner& owner, Health health) override;
    void wait(Clock::time_point until) override;
    void send(Connection& connection) override;
    void clean_up() override { closed_.clear(); }

    void read_later(EpollConnection& connection);
    void read_on();
    void wait_until_writable(EpollConnection& connection) const;

    static constexpr std::size_t scratch_bytes = 64 << 10;
    static constexpr std::size_t events_max = 256;

    UniqueFd epoll_;
    std::unique_ptr<EpollTarget> waker_;
    std::array<epoll_event, events_max> events_;
    std::unique_ptr<char[]> scratch_;
    std::vector<EpollConnection*> to_read_;
    std::vector<EpollConnection*> reading_;
    std::vector<std::unique_ptr<EpollTarget>> closed_;
};

}  // namespace pgtandem::io
