#include "proxy/acknowledged.hpp"

#include <algorithm>

namespace pgtandem::proxy {

namespace {

void raise(std::atomic<std::uint64_t>& count, std::uint64_t to) {
    auto known = count.load(std::memory_order_relaxed);
    while (known < to && !count.compare_exchange_weak(known, to, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

}  // namespace

void Acknowledged::note(sql::Touched const& written, std::uint64_t database, bool without_flush) {
    auto const number = last_.fetch_add(1, std::memory_order_acq_rel) + 1;
    if (without_flush) raise(last_without_flush_, number);
    if (written.everything) return raise(last_unknown_, number);
    for (auto const relation : written.relations) raise(by_relation_[slot_of(relation, database)], number);
}

void Acknowledged::set_other(Other other, bool serves) {
    auto& others = others_[static_cast<std::size_t>(other)];
    if (others.load(std::memory_order_relaxed) == serves) return;
    // What it has acknowledged to its end counts as one.
    if (!serves) note(sql::Touched::all(), 0, true);
    others.store(serves, std::memory_order_release);
}

std::uint64_t Acknowledged::last_of(sql::Touched const& read, std::uint64_t database) const {
    if (read.everything) return last();
    auto found = last_unknown_.load(std::memory_order_acquire);
    for (auto const relation : read.relations) found = std::max(found, by_relation_[slot_of(relation, database)].load(std::memory_order_acquire));
    return found;
}

}  // namespace pgtandem::proxy
