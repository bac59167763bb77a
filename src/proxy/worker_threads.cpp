#include "proxy/worker_threads.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "base/log.hpp"
#include "base/text.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto watch_interval = std::chrono::milliseconds(500);
constexpr auto look_interval = std::chrono::milliseconds(50);
// A loop that goes on ends within a turn.
constexpr auto end_patience = std::chrono::seconds(10);

// What one question to all workers has come to. Those that stand still come to it later.
struct Asked {
    explicit Asked(std::size_t count) : is_done(count, false) {}
    std::mutex mutex;
    std::condition_variable news;
    std::vector<bool> is_done;
};

}  // namespace

void WorkerThreads::Member::run() {
    thread_id = ::gettid();
    ::pthread_setname_np(::pthread_self(), fmt::format("worker {}", worker->number()).c_str());
    while (!has_ended) {
        try {
            worker->run();
            has_ended = true;
        } catch (std::exception const& fault) {
            // Short of memory: the clients that are there are served on.
            log::warn("endpoint: worker {}: {}", worker->number(), fault.what());
        }
    }
}

Clock::duration WorkerThreads::Member::silence() const { return has_ended ? Clock::duration::zero() : worker->silence(); }

WorkerThreads::~WorkerThreads() {
    if (end()) return;
    // Its thread would go on with what is about to be destroyed.
    log::warn("endpoint: a worker stands still; the process ends without it");
    std::_Exit(EXIT_FAILURE);
}

Status WorkerThreads::make(Shared& shared, unsigned count) {
    for (unsigned number = 0; number < count; ++number) {
        PGTANDEM_TRY(worker, Worker::make(shared, number, count));
        members_.push_back(std::make_unique<Member>(std::move(worker)));
    }
    return {};
}

Status WorkerThreads::start() {
    try {
        for (auto const& member : members_) member->thread = std::thread([&each = *member] { each.run(); });
        watchdog_ = std::thread([this] { watch(); });
    } catch (std::exception const& fault) {
        return fail("starting the endpoint's threads", "", fault.what());
    }
    return {};
}

void WorkerThreads::post_to_all(std::function<void(Worker&)> const& work) {
    for (auto const& member : members_) {
        member->worker->loop().post([work, worker = member->worker.get()] { work(*worker); });
    }
}

bool WorkerThreads::ask(std::function<void(Worker&)> work) {
    auto const asked = std::make_shared<Asked>(members_.size());
    for (std::size_t index = 0; index < members_.size(); ++index) {
        auto* const worker = members_[index]->worker.get();
        worker->loop().post([asked, work, worker, index] {
            work(*worker);
            std::lock_guard const guard(asked->mutex);
            asked->is_done[index] = true;
            asked->news.notify_all();
        });
    }
    std::unique_lock lock(asked->mutex);
    for (;;) {
        bool waits = false;
        bool misses = false;
        for (std::size_t index = 0; index < members_.size(); ++index) {
            if (asked->is_done[index]) continue;
            bool const is_vain = !members_[index]->thread.joinable() || members_[index]->has_ended || members_[index]->stands_still();
            (is_vain ? misses : waits) = true;
        }
        if (!waits) return !misses;
        asked->news.wait_for(lock, look_interval);
    }
}

bool WorkerThreads::end() {
    watch_ends_.request();
    if (watchdog_.joinable()) watchdog_.join();
    for (auto const& member : members_) member->worker->loop().stop();
    auto const deadline = Deadline::in(end_patience);
    bool all_have_ended = true;
    for (auto const& member : members_) {
        if (!member->thread.joinable()) continue;
        while (!member->has_ended && !member->stands_still() && !deadline.passed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (member->has_ended) member->thread.join();
        else all_have_ended = false;
    }
    if (all_have_ended) members_.clear();
    return all_have_ended;
}

void WorkerThreads::watch() {
    while (!watch_ends_.wait_for(watch_interval)) {
        for (auto const& member : members_) {
            auto const silence = member->silence();
            bool const stands_still = silence > stands_still_after;
            if (stands_still == member->is_told_of) continue;
            member->is_told_of = stands_still;
            if (stands_still) {
                log::warn("endpoint: worker {} (thread {}) has stood still for {}: its clients are not served", member->worker->number(),
                          member->thread_id.load(), human_duration(silence));
            } else {
                log::info("endpoint: worker {} goes on", member->worker->number());
            }
        }
    }
}

}  // namespace pgtandem::proxy
