// Accepts connections for a UringLoop, a few in each turn: it is told when somebody waits. The ring's own request to accept takes
// all that wait at once, more than there may be descriptors for; and where the former endpoint's loop stands still after a
// takeover, such a request there would keep the kernel from telling the loop that has taken its place.
#pragma once
#include "io/uring_loop.hpp"

namespace pgtandem::io {

class UringAcceptor final : public UringTarget {
public:
    UringAcceptor(UringLoop& loop, int fd, std::function<void(UniqueFd)> accepted);

    void completed(UringOp op, int result, unsigned flags) override;
    void close();

private:
    void accept_some();

    UringLoop& loop_;
    int fd_;
    bool is_closed_ = false;
    std::function<void(UniqueFd)> accepted_;
    std::unique_ptr<Timer> again_;  // in the next turn; when no descriptor is left, after a while
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
