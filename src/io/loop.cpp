#include "io/loop.hpp"

#include "io/epoll_loop.hpp"
#include "io/uring_loop.hpp"

namespace pgtandem::io {

Result<std::unique_ptr<Loop>> Loop::make(LoopKind kind) {
    if (kind == LoopKind::epoll) return EpollLoop::make();
    auto made = UringLoop::make();
    return made || kind == LoopKind::io_uring ? std::move(made) : EpollLoop::make();
}

}  // namespace pgtandem::io
