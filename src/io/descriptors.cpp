#include "io/descriptors.hpp"

#include <sys/resource.h>

#include <atomic>
#include <limits>

namespace pgtandem::io {

namespace {

std::atomic<std::size_t> first_kept_back{std::numeric_limits<std::size_t>::max()};

}  // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

void keep_back_descriptors(std::size_t limit, std::size_t count) { first_kept_back = limit > count ? limit - count : 0; }

bool is_kept_back(int fd) { return fd >= 0 && static_cast<std::size_t>(fd) >= first_kept_back; }

}  // namespace pgtandem::io
