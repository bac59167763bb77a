#include "proxy/background_thread.hpp"

#include <pthread.h>

#include <utility>

namespace pgtandem::proxy {

BackgroundThread::~BackgroundThread() {
    if (!thread_.joinable()) return;
    {
        std::lock_guard const guard(mutex_);
        ends_ = true;
    }
    wakes_.notify_one();
    thread_.join();
}

void BackgroundThread::run(std::function<void()> work) {
    if (!thread_.joinable()) thread_ = std::thread([this] { work_on(); });
    {
        std::lock_guard const guard(mutex_);
        waiting_.push_back(std::move(work));
    }
    wakes_.notify_one();
}

void BackgroundThread::work_on() {
    ::pthread_setname_np(::pthread_self(), name_);
    for (std::unique_lock lock(mutex_);; lock.lock()) {
        wakes_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
        if (ends_) return;
        auto const work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
    }
}

}  // namespace pgtandem::proxy
