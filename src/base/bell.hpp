// Wakes one thread that sleeps on a descriptor, and costs next to nothing while it does not sleep.
#pragma once
#include <atomic>

#include "base/unique_fd.hpp"

namespace pgtandem {

class Bell {
public:
    Bell();

    // From any thread.
    void ring();

    // For the one that sleeps: says so, looks once more whether there is something to do, waits until fd() is readable,
    // and says that it is awake.
    void sleeps() { sleeps_ = true; }
    int fd() const { return event_.get(); }
    void is_awake();

private:
    std::atomic<bool> sleeps_{false};
    UniqueFd event_;
};

}  // namespace pgtandem
