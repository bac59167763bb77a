// Accepts connections for a UringLoop: one request that goes on completing.
#pragma once
#include "io/uring_loop.hpp"

namespace pgtandem::io {

class UringAcceptor final : public UringTarget {
public:
    UringAcceptor(UringLoop& loop, int fd, std::function<void(UniqueFd)> accepted);

    void completed(UringOp op, int result, unsigned flags) override;
    void close();

private:
    void begin();

    UringLoop& loop_;
    int fd_;
    bool is_closed_ = false;
    std::function<void(UniqueFd)> accepted_;
    std::unique_ptr<Timer> rested_;  // when no descriptor is left, accepting is tried again after a while
};

class UringListener final : public Listener {
public:
    UringListener(UringLoop& loop, std::unique_ptr<UringAcceptor> acceptor)
        : loop_(loop), acceptor_(std::move(acceptor)) {}
    UringListener(UringListener const&) = delete;
    ~UringListener() override {
        acceptor_->close();
        loop_.free_when_complete(std::move(acceptor_));
    }

private:
    UringLoop& loop_;
    std::unique_ptr<UringAcceptor> acceptor_;
};

}  // namespace pgtandem::io
