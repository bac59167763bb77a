// One thread per node of this machine, kept in step with what the store says the cluster is to be.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "agent/board.hpp"
#include "agent/node_agent.hpp"

namespace pgtandem {

class Supervisor {
public:
    explicit Supervisor(AgentContext context) : context_(std::move(context)) {}
    ~Supervisor();

    // Takes what runs already as it is, starts what does not. Does not wait for it.
    Status start();
    // Stops the primary first, so that the replicas get its last record, then the replicas;
    // returns when all have ended.
    void stop();
    // Lets go of the servers as they are: another process is to attend to them.
    void leave();

private:
    struct Agent {
        std::unique_ptr<NodeAgent> agent;
        std::thread thread;
    };

    void end_follower();
    void join_all();
    void follow_store();
    Status take_state();
    Status start_missing_agents(cluster::ClusterState const& state);
    void join_ended_agents();

    AgentContext context_;
    Board board_;
    StopSignal stop_;
    std::uint64_t revision_ = 0;  // of the state that all agents have been told of
    std::string said_;            // why it could not be taken, last
    std::map<std::string, Agent> agents_;  // touched by the follower's thread only, once it runs
    std::thread follower_;
};

}  // namespace pgtandem
