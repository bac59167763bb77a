#include "agent/supervisor.hpp"

#include "base/log.hpp"

namespace pgtandem {

namespace {

constexpr auto look_interval = 250ms;

}  // namespace

Supervisor::~Supervisor() { stop(); }

Status Supervisor::start() {
    auto taken = take_state();
    try {
        if (taken) follower_ = std::thread([this] { follow_store(); });
    } catch (std::exception const& fault) {
        taken = fail("attending to the cluster", "", fault.what());
    }
    if (!taken) {
        board_.leave();
        join_all();
    }
    return taken;
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
            auto const taken = take_state();
            auto const line = taken ? std::string() : taken.error().line();
            if (line != said_ && !line.empty()) log::warn(line);
            said_ = line;
            if (!taken) stop_.wait_for(look_interval);
        }
        join_ended_agents();
    }
}

Status Supervisor::take_state() {
    PGTANDEM_TRY(snapshot, context_.store.read());
    PGTANDEM_TRY(state, read_state(snapshot));
    board_.set_state(state, snapshot.keys.at("cluster").revision);
    PGTANDEM_CHECK(start_missing_agents(state));
    revision_ = snapshot.revision;
    return {};
}

Status Supervisor::start_missing_agents(cluster::ClusterState const& state) {
    for (auto const& [name, entry] : state.nodes) {
        if (auto const known = agents_.find(name); known != agents_.end()) {
            if (entry.removed) known->second.agent->interrupt();  // a copy of it is not worth finishing
            continue;
        }
        try {
            auto& made = agents_[name];
            made.agent = std::make_unique<NodeAgent>(context_, board_, name);
            made.thread = std::thread([agent = made.agent.get()] { agent->run(); });
        } catch (std::exception const& fault) {
            // No thread or no descriptor is left: tried again with the next look.
            agents_.erase(name);
            return fail("attending to " + name, "", fault.what());
        }
    }
    return {};
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
