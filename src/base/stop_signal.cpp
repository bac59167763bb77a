#include "base/stop_signal.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <system_error>

namespace pgtandem {

StopSignal::StopSignal() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void StopSignal::request() const {
    std::uint64_t const one = 1;
    // Only a full counter (2^64-2 requests) makes this fail, and then it is readable already.
    [[maybe_unused]] auto const put = ::write(event_.get(), &one, sizeof one);
}

bool StopSignal::wait_until(Deadline deadline) const {
    pollfd entry{event_.get(), POLLIN, 0};
    do {
        if (::poll(&entry, 1, deadline.poll_milliseconds()) > 0) return true;
    } while (!deadline.passed());
    return false;
}

}  // namespace pgtandem
