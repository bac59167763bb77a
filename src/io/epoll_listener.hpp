// Accepts connections for an EpollLoop, a few in each turn, so that several loops can share one listening socket.
#pragma once
#include "io/epoll_loop.hpp"

namespace pgtandem::io {

class EpollAcceptor final : public EpollTarget {
public:
    EpollAcceptor(EpollLoop& loop, int fd, std::function<void(UniqueFd)> accepted);

    void on_ready(std::uint32_t events) override;
    void close();

private:
    void rest();

    EpollLoop& loop_;
    int fd_;
    bool is_closed_ = false;
    std::function<void(UniqueFd)> accepted_;
    std::unique_ptr<Timer> rested_;  // when no descriptor is left, accepting is tried again after a while
};

class EpollListener final : public Listener {
public:
    EpollListener(EpollLoop& loop, std::unique_ptr<EpollAcceptor> acceptor)
        : loop_(loop), acceptor_(std::move(acceptor)) {}
    EpollListener(EpollListener const&) = delete;
    ~EpollListener() override {
        acceptor_->close();
        loop_.free_at_end_of_turn(std::move(acceptor_));
    }

private:
    EpollLoop& loop_;
    std::unique_ptr<EpollAcceptor> acceptor_;
};

}  // namespace pgtandem::io
