// Which sessions read where they write: to move to a replica after each write costs questions and a wait, to stay on the
// primary costs nothing, and the primary has a share of the reads. Of a worker's thread.
//
// Each session has a place between 0 and 1, and those below a limit stay. The limit follows the reads: so the same ones stay
// for long, and few change when it does.
#pragma once
#include <algorithm>

namespace pgtandem::proxy {

class Residents {
public:
    // For one session, for good: evenly spread, whichever of them write.
    double take_place() {
        constexpr double golden = 0.6180339887498949;
        last_place_ += golden;
        if (last_place_ >= 1) last_place_ -= 1;
        return last_place_;
    }
    bool include(double place) const { return place < limit_; }

    // Each read that was placed, by whatever rule.
    void count_read(bool on_primary) {
        ++reads_;
        reads_on_primary_ += on_primary ? 1 : 0;
    }
    bool is_to_adapt() const { return reads_ >= span; }
    // 'share': of the reads, which the primary is to have.
    void adapt(double share) {
        limit_ = std::clamp(limit_ + step * (share - static_cast<double>(reads_on_primary_) / reads_), 0.0, 1.0);
        reads_ = reads_on_primary_ = 0;
    }

private:
    static constexpr unsigned span = 200;
    static constexpr double step = 0.3;

    double last_place_ = 0;
    double limit_ = 0;
    unsigned reads_ = 0;
    unsigned reads_on_primary_ = 0;
};

}  // namespace pgtandem::proxy
