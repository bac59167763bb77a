// What the agents of one process share: what the cluster is to be, and what each has seen of its node.
// Thread-safe; every reader gets a copy.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/deadline.hpp"
#include "base/unique_fd.hpp"
#include "cluster/state.hpp"

namespace pgtandem {

// Wakes one thread that waits; a wake before the wait is not lost.
class Waker {
public:
    Waker();
    void wake() const;
    // Returns when woken, when 'also' (a descriptor, or -1) becomes readable, or when the time is over.
    void wait(Clock::duration longest, int also = -1) const;

private:
    UniqueFd event_;
};

struct NodeSeen {
    bool has_ended = true;               // no server is there, not even one that is starting or shutting down
    std::uint64_t settled_revision = 0;  // of the state whose settings are in effect here
    bool restarting = false;
    bool streams = false;  // a replica's own word; the primary learns of it a little later
};

struct BoardView {
    cluster::ClusterState state;
    std::uint64_t revision = 0;  // of the key "cluster"
    bool going_down = false;
    bool leaving = false;  // another process attends to the servers from now on
    bool primary_answers = false;  // with its roles in place
    std::map<std::string, NodeSeen> seen{};
};

class Board {
public:
    BoardView view() const;

    void set_state(cluster::ClusterState state, std::uint64_t revision);
    void go_down();
    void leave();
    void set_primary_answers(bool answers);
    void set_seen(std::string const& name, NodeSeen seen);
    // One replica restarts at a time. False when another does.
    bool begin_restart(std::string const& name);

    // The waker of one agent; it lives as long as the board.
    Waker const& waker(std::string const& name);
    void wake_all() const;

private:
    mutable std::mutex mutex_;
    BoardView view_;
    std::map<std::string, std::unique_ptr<Waker>> wakers_;
};

}  // namespace pgtandem
