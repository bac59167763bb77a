// Work for a worker's loop from threads that may outlive it: the login desk and the catalog watch answer to their own end.
#pragma once
#include <functional>
#include <mutex>
#include <utility>

#include "io/loop.hpp"

namespace pgtandem::proxy {

class Mailbox {
public:
    explicit Mailbox(io::Loop& loop) : loop_(&loop) {}

    // From any thread; what comes after the loop's end is dropped.
    void post(std::function<void()> work) {
        std::lock_guard const guard(mutex_);
        if (loop_ != nullptr) loop_->post(std::move(work));
    }
    // Before the loop ends.
    void close() {
        std::lock_guard const guard(mutex_);
        loop_ = nullptr;
    }

private:
    std::mutex mutex_;
    io::Loop* loop_;
};

}  // namespace pgtandem::proxy
