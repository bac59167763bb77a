#include "proxy/primary_history.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

constexpr auto point_interval = std::chrono::milliseconds(100);
constexpr std::size_t most_points = 6000;  // ten minutes

}  // namespace

void PrimaryHistory::note(std::uint64_t epoch, Clock::time_point when, std::uint64_t lsn) {
    std::lock_guard const guard(mutex_);
    if (epoch != epoch_) points_.clear();
    epoch_ = epoch;
    if (!points_.empty() && (lsn <= points_.back().second || when - points_.back().first < point_interval)) return;
    points_.emplace_back(when, lsn);
    if (points_.size() > most_points) points_.pop_front();
}

std::chrono::milliseconds PrimaryHistory::lag(std::uint64_t lsn, Clock::time_point now) const {
    std::lock_guard const guard(mutex_);
    auto const beyond = std::ranges::upper_bound(points_, lsn, {}, &std::pair<Clock::time_point, std::uint64_t>::second);
    if (beyond == points_.end()) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - beyond->first);
}

}  // namespace pgtandem::proxy
