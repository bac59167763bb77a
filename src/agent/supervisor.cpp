#include "agent/supervisor.hpp"

#include "base/log.hpp"

namespace pgtandem {

namespace {

constexpr auto look_interval = 250ms;

}  // namespace

Supervisor::~Supervisor() { stop(); }

Status Supervisor::start() {
    PGTANDEM_CHECK(take_state());
    follower_ = std::thread([this] { follow_store(); });
    return {};
}

void Supervisor::stop() {
    if (!follower_.joinable()) return;
    end_follower();
    board_.go_down();
    join_all();
}

void Supervisor::leave() {
    if (!follower_.joinable()) return;
    end_follower();
    board_.leave();
    join_all();
}

void Supervisor::end_follower() {
    stop_.request();
    follower_.join();
}

void Supervisor::join_all() {
    for (auto& [name, agent] : agents_) agent.agent->interrupt();
    for (auto& [name, agent] : agents_) agent.thread.join();
    agents_.clear();
}

void Supervisor::follow_store() {
    while (!stop_.requested()) {
        if (context_.store.wait_for_change(revision_, Deadline::in(look_interval))) {
            if (auto const taken = take_state(); !taken) {
                log::warn(taken.error().line());
                stop_.wait_for(look_interval);
            }
        }
        join_ended_agents();
    }
}

Status Supervisor::take_state() {
    PGTANDEM_TRY(snapshot, context_.store.read());
    PGTANDEM_TRY(state, read_state(snapshot));
    revision_ = snapshot.revision;
    board_.set_state(state, snapshot.keys.at("cluster").revision);
    start_missing_agents(state);
    return {};
}

void Supervisor::start_missing_agents(cluster::ClusterState const& state) {
    for (auto const& [name, entry] : state.nodes) {
        if (auto const known = agents_.find(name); known != agents_.end()) {
            if (entry.removed) known->second.agent->interrupt();  // a copy of it is not worth finishing
            continue;
        }
        auto agent = std::make_unique<NodeAgent>(context_, board_, name);
        auto* const running = agent.get();
        agents_[name] = {std::move(agent), std::thread([running] { running->run(); })};
    }
}

void Supervisor::join_ended_agents() {
    for (auto entry = agents_.begin(); entry != agents_.end();) {
        if (!entry->second.agent->has_ended()) {
            ++entry;
            continue;
        }
        entry->second.thread.join();
        entry = agents_.erase(entry);
    }
}

}  // namespace pgtandem
