// How far the primary's WAL is, asked for by many and answered to all of them at once. Whoever has seen a commit
// acknowledged takes a ticket; a sample that began after that covers the ticket: its position is at or above the end of the
// commit's record. Thread-safe.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

#include "base/bell.hpp"

namespace pgtandem::proxy {

struct Sample {
    std::uint64_t ticket = 0;    // it covers this one and all before
    std::uint64_t epoch = 0;     // Routing's, when it began
    std::uint64_t flushed = 0;   // LSN: what has been flushed
    // LSN: what has been inserted. A commit that did not wait for its flush (synchronous_commit = off) may lie above 'flushed'.
    std::uint64_t inserted = 0;
};

class Samples {
public:
    // Never 0.
    std::uint64_t take_ticket();
    Sample latest() const;

    // Somebody commits without a flush, and others may read that: 'flushed' is not above all that has been shown.
    void note_unflushed_commits() { unflushed_ = true; }
    bool has_unflushed_commits() const { return unflushed_.load(std::memory_order_relaxed); }

    // Sessions that wait for a sample or for a replica's position: while there are any, news are told at once.
    void begin_wait() { ++waiting_; }
    void end_wait() { --waiting_; }
    bool has_waiters() const { return waiting_ > 0; }
    // Called on the threads that watch servers. One listener.
    void on_news(std::function<void()> listener);
    void tell_news() const;

    // For the one thread that watches the primary.
    std::uint64_t last_ticket() const { return last_ticket_.load(); }
    void publish(Sample const& sample);
    // Rung when a ticket is taken.
    Bell& bell() { return bell_; }

private:
    std::atomic<std::uint64_t> last_ticket_{0};
    std::atomic<int> waiting_{0};
    std::atomic<bool> unflushed_{false};
    Bell bell_;
    mutable std::mutex mutex_;
    Sample latest_;
    std::function<void()> listener_;
};

}  // namespace pgtandem::proxy
