// The fences of one replica, one run after another: which questions they need, to the primary (by tickets) and to the replica.
// Knows no connection; the Prober asks.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/samples.hpp"

namespace pgtandem::proxy {

class FenceRun {
public:
    enum class Next : std::uint8_t {
        nothing,   // no fence is wanted, or a sample has to come first
        question,  // the replica is to be asked question()
        fenced,    // just now: sessions wait for it
        changed,   // another ticket was taken: there is more to ask of the primary
    };

    // What there is to do with the samples as they are; to be asked again with each.
    Next next(Samples& samples, ReplicaWishes& wishes, std::uint64_t epoch);
    std::string question(Samples const& samples) { return fence_.question(samples.latest().shown); }
    Next take_answer(std::uint64_t replica_xmax, std::vector<std::uint64_t> committed, Samples& samples, ReplicaWishes& wishes);
    Fence const& fence() const { return fence_; }
    void take_failure(Samples& samples) { fence_.begin_again(samples.take_ticket()); }

private:
    Next after_step(Samples& samples, ReplicaWishes& wishes);

    Fence fence_;
};

}  // namespace pgtandem::proxy
