// Work for a loop from other threads, and what wakes the loop for it.
#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem::io {

class PostedWork {
public:
    Status open();

    // From any thread.
    void post(std::function<void()> work);
    void stop();

    // The rest is for the loop's thread. The descriptor is readable when there is something new.
    int wakes() const { return wakes_.get(); }
    void woken() const;
    void run();
    // True once for each time the loop was stopped.
    bool take_stop() { return stopped_.exchange(false); }

private:
    void wake() const;

    UniqueFd wakes_;
    std::atomic<bool> stopped_ = false;
    std::atomic<bool> is_posted_ = false;
    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;
};

}  // namespace pgtandem::io
