#include "proxy/samples.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

// Of older ones the oldest that is kept tells: that is more than enough, and replicas have had the time.
constexpr std::size_t most_covered = 64;

}  // namespace

void Samples::publish(Sample sample) {
    if (sample.epoch != latest_.epoch) covered_.clear();
    auto const before = covered_.empty() ? Covered{0, 0} : covered_.back();
    bool const is_unflushed = sample.is_flushed_late || has_unflushed_commits() || sample.acknowledged_without_flush > before.acknowledged;
    auto const position = std::max(before.position, is_unflushed ? sample.inserted : sample.flushed);
    if (covered_.empty() || sample.acknowledged > before.acknowledged) covered_.push_back({sample.acknowledged, position});
    if (covered_.size() > most_covered) covered_.pop_front();
    latest_ = std::move(sample);
}

std::optional<std::uint64_t> Samples::position_of(std::uint64_t acknowledged, std::uint64_t epoch) const {
    if (latest_.epoch != epoch) return std::nullopt;
    auto const first = std::ranges::lower_bound(covered_, acknowledged, {}, &Covered::acknowledged);
    return first == covered_.end() ? std::nullopt : std::optional(first->position);
}

}  // namespace pgtandem::proxy
