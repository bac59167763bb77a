#include "io/posted_work.hpp"

#include <sys/eventfd.h>

#include <cstdint>
#include <utility>

namespace pgtandem::io {

Status PostedWork::open() {
    wakes_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!wakes_) return fail_errno("making an event loop", "eventfd");
    return {};
}

void PostedWork::post(std::function<void()> work) {
    std::unique_lock lock(mutex_);
    posted_.push_back(std::move(work));
    auto const is_first = !is_posted_.exchange(true);
    lock.unlock();
    if (is_first) wake();
}

void PostedWork::stop() {
    stopped_ = true;
    wake();
}

void PostedWork::wake() const {
    std::uint64_t const one = 1;
    // It can only fail when the counter is full: then the loop is to wake anyway.
    [[maybe_unused]] auto const written = ::write(wakes_.get(), &one, sizeof one);
}

void PostedWork::woken() const {
    std::uint64_t count = 0;
    [[maybe_unused]] auto const got = ::read(wakes_.get(), &count, sizeof count);
}

void PostedWork::run() {
    if (!is_posted_) return;
    std::vector<std::function<void()>> work;
    {
        std::lock_guard const lock(mutex_);
        work.swap(posted_);
        is_posted_ = false;
    }
    for (auto const& each : work) each();
}

}  // namespace pgtandem::io
