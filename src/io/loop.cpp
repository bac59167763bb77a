#include "io/loop.hpp"

#include "io/epoll_loop.hpp"

namespace pgtandem::io {

Result<std::unique_ptr<Loop>> Loop::make(LoopKind kind) {
    if (kind == LoopKind::io_uring) return fail("making an event loop", "io_uring", "it is not there");
    return EpollLoop::make();
}

}  // namespace pgtandem::io
