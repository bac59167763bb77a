#include "base/bell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace pgtandem {

Bell::Bell() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Bell::ring() {
    if (!sleeps_.load() || !sleeps_.exchange(false)) return;
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const put = ::write(event_.get(), &one, sizeof one);
}

void Bell::is_awake() {
    sleeps_ = false;
    std::uint64_t count = 0;
    [[maybe_unused]] auto const got = ::read(event_.get(), &count, sizeof count);
}

}  // namespace pgtandem
