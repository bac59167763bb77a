// When the primary's WAL was how far, so that a replica's lag can be told as a time. Thread-safe.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

#include "base/deadline.hpp"

namespace pgtandem::proxy {

class PrimaryHistory {
public:
    // In the order of time. Another epoch begins anew.
    void note(std::uint64_t epoch, Clock::time_point when, std::uint64_t lsn);
    // How long ago the primary went beyond 'lsn'; zero while it has not. At least so long, where all is longer ago than known.
    std::chrono::milliseconds lag(std::uint64_t lsn, Clock::time_point now) const;

private:
    mutable std::mutex mutex_;
    std::uint64_t epoch_ = 0;
    std::deque<std::pair<Clock::time_point, std::uint64_t>> points_;  // each LSN is higher than the one before
};

}  // namespace pgtandem::proxy
