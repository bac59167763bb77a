// Asks threads to stop. Waiting on it is interruptible; its descriptor becomes readable, for good, once asked.
#pragma once
#include "base/deadline.hpp"
#include "base/unique_fd.hpp"

namespace pgtandem {

class StopSignal {
public:
    StopSignal();

    // Safe from a signal handler, and more than once.
    void request() const;
    bool requested() const { return wait_until(Deadline::in(Clock::duration::zero())); }
    // True when stopping was asked for, false when the deadline passed first.
    bool wait_until(Deadline deadline) const;
    bool wait_for(Clock::duration span) const { return wait_until(Deadline::in(span)); }
    int fd() const { return event_.get(); }

private:
    UniqueFd event_;
};

}  // namespace pgtandem
