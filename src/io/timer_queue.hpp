// The timers of one loop, by when they expire: a binary heap of pointers. A timer that is started again for later, or
// stopped, stays where it is in the heap and is looked at when its old time comes; so the usual life of a timeout
// (started, stopped, started ...) costs nothing.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "base/deadline.hpp"
#include "io/loop.hpp"

namespace pgtandem::io {

class TimerQueue;

class QueuedTimer final : public Timer {
public:
    QueuedTimer(TimerQueue& queue, std::function<void()> expired);
    QueuedTimer(QueuedTimer const&) = delete;
    ~QueuedTimer() override;

    void start(Clock::duration span) override;
    void stop() override { runs_ = false; }
    bool is_running() const override { return runs_; }

private:
    friend class TimerQueue;
    static constexpr std::size_t not_queued = static_cast<std::size_t>(-1);

    TimerQueue& queue_;
    std::function<void()> expired_;
    Clock::time_point expires_;
    Clock::time_point queued_for_;  // never later than expires_ while it runs
    std::size_t place_ = not_queued;
    bool runs_ = false;
    bool* destroyed_ = nullptr;  // to be told while expired_ runs
};

class TimerQueue {
public:
    // When expire() is next to be called; time_point::max() when there is nothing to wait for.
    Clock::time_point next() const;
    // Calls what has expired by 'now'.
    void expire(Clock::time_point now);

private:
    friend class QueuedTimer;
    void put(QueuedTimer& timer, Clock::time_point at);
    void take(QueuedTimer& timer);
    void rise(std::size_t place);
    void sink(std::size_t place);
    void set(std::size_t place, QueuedTimer& timer);
    static void run(QueuedTimer& timer);

    std::vector<QueuedTimer*> heap_;
};

}  // namespace pgtandem::io
