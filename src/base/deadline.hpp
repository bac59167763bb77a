// A point in time by which something must have happened. Every wait takes one.
#pragma once
#include <algorithm>
#include <chrono>

namespace pgtandem {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

class Deadline {
public:
    static Deadline in(Clock::duration span) { return Deadline(Clock::now() + span); }
    static Deadline never() { return Deadline(Clock::time_point::max()); }

    bool passed() const { return Clock::now() >= at_; }

    // For poll(2): milliseconds left rounded up, 0 when passed, at most one minute at a time.
    int poll_milliseconds() const {
        auto const left = at_ - Clock::now();
        if (left <= Clock::duration::zero()) return 0;
        if (left > std::chrono::minutes(1)) return 60'000;
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }

    Deadline earlier_of(Deadline other) const { return Deadline(std::min(at_, other.at_)); }

private:
    explicit Deadline(Clock::time_point at) : at_(at) {}
    Clock::time_point at_;
};

}  // namespace pgtandem
