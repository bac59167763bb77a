// How far one server is in the WAL, and how it does: written by those that ask it, read by every worker without
// waiting.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

#include "base/deadline.hpp"

namespace pgtandem::proxy {

class ServerPosition {
public:
    // No other one's, ever.
    std::uint64_t id() const { return id_; }

    // On a replica: what it has replayed, as it was when it was asked last. It may have replayed more, never less.
    std::uint64_t replayed() const { return replayed_.load(std::memory_order_acquire); }
    void set_replayed(std::uint64_t lsn) { replayed_.store(lsn, std::memory_order_release); }

    // How long ago the primary was where this replica is now; by the clock of this machine.
    std::chrono::milliseconds lag() const { return std::chrono::milliseconds(lag_ms_.load(std::memory_order_relaxed)); }
    void set_lag(std::chrono::milliseconds lag) { lag_ms_.store(lag.count(), std::memory_order_relaxed); }

    // It was asked and has not answered; or what was sent to it failed. It gets no reads while that is so.
    void begin_question(Clock::time_point now) { asked_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
    void end_question() { asked_at_.store(0, std::memory_order_relaxed); }
    bool is_silent(Clock::time_point now, Clock::duration patience) const {
        auto const asked_at = asked_at_.load(std::memory_order_relaxed);
        return asked_at != 0 && now.time_since_epoch().count() - asked_at > patience.count();
    }
    void avoid_until(Clock::time_point when) { avoided_until_.store(when.time_since_epoch().count(), std::memory_order_relaxed); }
    bool is_avoided(Clock::time_point now) const {
        return now.time_since_epoch().count() < avoided_until_.load(std::memory_order_relaxed);
    }

    // Since when it can be used without a break.
    void back_since(Clock::time_point when) { back_since_.store(when.time_since_epoch().count(), std::memory_order_relaxed); }
    Clock::duration back_for(Clock::time_point now) const {
        return Clock::duration(now.time_since_epoch().count() - back_since_.load(std::memory_order_relaxed));
    }

    // Transactions that run there, or wait for a backend there, by this endpoint.
    std::atomic<int> in_use{0};

private:
    using Ticks = Clock::duration::rep;

    static inline std::atomic<std::uint64_t> last_id{0};
    std::uint64_t const id_ = ++last_id;

    std::atomic<std::uint64_t> replayed_{0};
    std::atomic<std::int64_t> lag_ms_{std::numeric_limits<std::int64_t>::max()};
    std::atomic<Ticks> asked_at_{0};
    std::atomic<Ticks> avoided_until_{0};
    std::atomic<Ticks> back_since_{0};
};

}  // namespace pgtandem::proxy
