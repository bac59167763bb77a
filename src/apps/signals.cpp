#include "apps/signals.hpp"

#include <unistd.h>

#include <cstdio>

namespace pgtandem::apps {

StopRequests::StopRequests() {
    ::sigemptyset(&set_);
    for (int const number : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set_, number);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

bool StopRequests::came() { return wait_for(Clock::duration::zero()); }

bool StopRequests::wait_for(Clock::duration span) {
    if (came_) return true;
    auto const whole = std::chrono::duration_cast<std::chrono::seconds>(span);
    timespec const longest{whole.count(), std::chrono::duration_cast<std::chrono::nanoseconds>(span - whole).count()};
    came_ = ::sigtimedwait(&set_, nullptr, &longest) > 0;
    return came_;
}

void end_at_once(int status) {
    std::fflush(nullptr);
    ::_exit(status);
}

}  // namespace pgtandem::apps
