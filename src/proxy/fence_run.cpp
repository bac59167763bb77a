#include "proxy/fence_run.hpp"

#include <utility>

namespace pgtandem::proxy {

FenceRun::Next FenceRun::next(Samples& samples, ReplicaWishes& wishes, std::uint64_t epoch) {
    if (fence_.step() == Fence::Step::idle) {
        if (wishes.is_fenced(wishes.last_fence)) return Next::nothing;
        fence_.begin(wishes.last_fence, samples.take_ticket());
        return Next::changed;
    }
    auto const& sample = samples.latest();
    if (sample.ticket < fence_.ticket()) return Next::nothing;
    if (sample.epoch != epoch) {
        fence_.wait_for(samples.take_ticket());
        return Next::changed;
    }
    if (fence_.step() == Fence::Step::wants_answer) return Next::question;
    fence_.take_end(sample.shown);
    return after_step(samples, wishes);
}

FenceRun::Next FenceRun::take_answer(std::uint64_t replica_xmax, std::vector<std::uint64_t> committed, Samples& samples, ReplicaWishes& wishes) {
    fence_.take_answer(replica_xmax, std::move(committed));
    return after_step(samples, wishes);
}

FenceRun::Next FenceRun::after_step(Samples& samples, ReplicaWishes& wishes) {
    if (fence_.step() != Fence::Step::idle) {
        fence_.wait_for(samples.take_ticket());
        return Next::changed;
    }
    wishes.fenced = fence_.covers();
    return Next::fenced;
}

}  // namespace pgtandem::proxy
