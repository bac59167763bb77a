// A connection as epoll knows it.
#pragma once
#include "io/epoll_loop.hpp"

namespace pgtandem::io {

class EpollConnection final : public Connection, public EpollTarget {
public:
    EpollConnection(EpollLoop& loop, UniqueFd fd, StreamOwner& owner, Health health)
        : Connection(loop, std::move(fd), owner, health), loop_(loop) {}

    void on_ready(std::uint32_t events) override;
    void close_fd() { fd_.reset(); }

    bool is_readable = false;  // there may be more than what has been read
    bool is_hung_up = false;   // the end or an error comes after what can be read; no event will say so again
    bool is_blocked = false;   // the kernel takes no more output for now
    bool is_to_read = false;   // in the loop's list

private:
    EpollLoop& loop_;
};

}  // namespace pgtandem::io
