// The workers and their threads. Nobody here depends on a worker's good will: what is asked of all of them is waited for only
// as long as each goes on, one that stands still is told of in the log, and what ends leaves such a one behind.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/deadline.hpp"
#include "base/stop_signal.hpp"
#include "proxy/worker.hpp"

namespace pgtandem::proxy {

// A worker says once a second that it goes on; without that for so long, it stands still.
inline constexpr std::chrono::seconds stands_still_after{5};

class WorkerThreads {
public:
    ~WorkerThreads();

    Status make(Shared& shared, unsigned count);
    // Errors: a thread cannot be had. Those that run go on until end().
    Status start();
    bool empty() const { return members_.empty(); }
    std::size_t size() const { return members_.size(); }
    Worker& at(std::size_t index) { return *members_.at(index)->worker; }
    void post_to_all(std::function<void(Worker&)> const& work);

    // Runs the work on each worker's thread and waits for all but those that stand still: false when there are some. Those do it
    // later, so the work owns what it uses.
    bool ask(std::function<void(Worker&)> work);
    // Ends the loops and their threads. False when one stands still: its thread goes on, with all that it uses, until the
    // process ends, which must be soon.
    bool end();

private:
    struct Member {
        std::unique_ptr<Worker> worker;
        std::thread thread{};
        std::atomic<long> thread_id = 0;
        std::atomic<bool> has_ended = false;
        bool is_told_of = false;  // by the watchdog, that it stands still

        void run();
        Clock::duration silence() const;
        bool stands_still() const { return silence() > stands_still_after; }
    };

    void watch();

    std::vector<std::unique_ptr<Member>> members_;
    StopSignal watch_ends_;
    std::thread watchdog_;
};

}  // namespace pgtandem::proxy
