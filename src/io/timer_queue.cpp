#include "io/timer_queue.hpp"

#include <utility>

namespace pgtandem::io {

QueuedTimer::QueuedTimer(TimerQueue& queue, std::function<void()> expired)
    : queue_(queue), expired_(std::move(expired)) {}

QueuedTimer::~QueuedTimer() {
    if (place_ != not_queued) queue_.take(*this);
    if (destroyed_) *destroyed_ = true;
}

void QueuedTimer::start(Clock::duration span) {
    auto const now = Clock::now();
    expires_ = span < Clock::time_point::max() - now ? now + span : Clock::time_point::max();
    runs_ = true;
    if (place_ != not_queued && queued_for_ > expires_) queue_.take(*this);
    if (place_ == not_queued) queue_.put(*this, expires_);
}

Clock::time_point TimerQueue::next() const {
    return heap_.empty() ? Clock::time_point::max() : heap_.front()->queued_for_;
}

void TimerQueue::expire(Clock::time_point now) {
    while (!heap_.empty() && heap_.front()->queued_for_ <= now) {
        auto& timer = *heap_.front();
        take(timer);
        if (!timer.runs_) continue;
        if (timer.expires_ <= now)
            run(timer);
        else
            put(timer, timer.expires_);
    }
}

// The function may destroy the timer, and with it itself: so it is run from here and put back if the timer still is.
void TimerQueue::run(QueuedTimer& timer) {
    bool destroyed = false;
    auto const expired = std::move(timer.expired_);
    timer.runs_ = false;
    timer.destroyed_ = &destroyed;
    expired();
    if (destroyed) return;
    timer.destroyed_ = nullptr;
    timer.expired_ = expired;
}

void TimerQueue::put(QueuedTimer& timer, Clock::time_point at) {
    timer.queued_for_ = at;
    heap_.push_back(&timer);
    timer.place_ = heap_.size() - 1;
    rise(timer.place_);
}

void TimerQueue::take(QueuedTimer& timer) {
    auto const place = std::exchange(timer.place_, QueuedTimer::not_queued);
    auto& last = *heap_.back();
    heap_.pop_back();
    if (&last == &timer) return;
    set(place, last);
    rise(place);
    sink(last.place_);
}

void TimerQueue::set(std::size_t place, QueuedTimer& timer) {
    heap_[place] = &timer;
    timer.place_ = place;
}

void TimerQueue::rise(std::size_t place) {
    auto& timer = *heap_[place];
    while (place > 0) {
        auto const above = (place - 1) / 2;
        if (heap_[above]->queued_for_ <= timer.queued_for_) break;
        set(place, *heap_[above]);
        place = above;
    }
    set(place, timer);
}

void TimerQueue::sink(std::size_t place) {
    auto& timer = *heap_[place];
    for (auto below = 2 * place + 1; below < heap_.size(); below = 2 * place + 1) {
        if (below + 1 < heap_.size() && heap_[below + 1]->queued_for_ < heap_[below]->queued_for_) ++below;
        if (timer.queued_for_ <= heap_[below]->queued_for_) break;
        set(place, *heap_[below]);
        place = below;
    }
    set(place, timer);
}

}  // namespace pgtandem::io
