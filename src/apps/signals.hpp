// Ctrl-C and its like, taken as requests at moments of our choosing. To be made before any thread is.
#pragma once
#include <signal.h>

#include "base/deadline.hpp"

namespace pgtandem::apps {

class StopRequests {
public:
    StopRequests();
    // True once SIGINT, SIGTERM or SIGHUP has come.
    bool came();
    bool wait_for(Clock::duration span);

private:
    sigset_t set_;
    bool came_ = false;
};

// For a process of which a thread stands still that cannot be waited for.
[[noreturn]] void end_at_once(int status);

}  // namespace pgtandem::apps
