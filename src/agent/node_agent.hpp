// One node's agent: looks at what is, asks the rules what to do, does it, says so.
// Owns the node's thread and its session.
#pragma once
#include <atomic>
#include <optional>
#include <string>

#include "agent/agreed_state.hpp"
#include "agent/board.hpp"
#include "base/stop_signal.hpp"
#include "client/session.hpp"
#include "cluster/node_rules.hpp"
#include "cluster/state.hpp"
#include "cluster/sync_set.hpp"
#include "instance/credentials.hpp"
#include "instance/layout.hpp"
#include "instance/programs.hpp"
#include "instance/server.hpp"
#include "store/file_store.hpp"

namespace pgtandem {

// What all agents of one cluster work with.
struct AgentContext {
    ClusterPaths paths;
    PgPrograms programs;
    Credentials credentials;
    Executable self;
    FileStore store;    // what is agreed
    FileStore reports;  // what each node says of itself, and who is 'up'
};

class NodeAgent {
public:
    NodeAgent(AgentContext const& context, Board& board, std::string name);

    // Until the node has been removed, the cluster is down, or another process attends to it.
    void run();
    // Ends a clone or an initdb that is under way.
    void interrupt() const { interrupt_.request(); }
    std::string const& name() const { return name_; }
    bool has_ended() const { return ended_; }

private:
    using Intent = cluster::Intent;

    // One look and what follows from it; false when there is nothing more to come.
    bool turn();
    void bound_server_log();
    bool end();

    // node_look.cpp
    cluster::NodeFacts observe(BoardView const& view);
    Status look(BoardView const& view, cluster::NodeFacts& facts);
    Status read_sync_set();
    bool others_have_settled(BoardView const& view) const;
    void note_server(ServerProcess const& server, BoardView const& view);
    void note_end(std::uint64_t revision);
    void end_step(char const* step);
    void lose_session();
    bool is_primary(BoardView const& view) const { return view.state.primary == name_; }
    Result<std::string> wanted_settings(BoardView const& view);

    Status perform(cluster::NodeRule const& rule, BoardView const& view);
    Status initialize_data(BoardView const& view);
    Status clone_primary(BoardView const& view);
    Status configure(BoardView const& view);
    Status launch();
    Status stop();
    Status remove(BoardView const& view);
    Status watch(BoardView const& view);
    Status watch_primary(BoardView const& view);
    Status watch_replica(BoardView const& view);
    Status prepare_primary(BoardView const& view);
    Status keep_sync_set(BoardView const& view);
    std::vector<std::string> streaming_replicas(BoardView const& view) const;
    Result<std::map<std::string, cluster::ReplicaLink>> replica_links(BoardView const& view);
    Status look_at_settings(BoardView const& view);

    Result<Session*> session(BoardView const& view);
    Result<Session> connect(std::uint16_t port) const;

    void say(cluster::NodeRule const& rule);
    void note_failure(Error const& error);
    void publish();
    Clock::duration pause_after(Intent intent) const;
    Clock::duration pause_after_failure() const;

    AgentContext const& context_;
    Board& board_;
    std::string name_;
    NodePaths paths_;
    StopSignal interrupt_;
    Waker const& waker_;
    std::atomic<bool> ended_ = false;

    std::optional<Session> session_;
    bool session_is_admins_ = false;
    std::uint16_t port_ = 0;
    ServerProcess server_{ServerState::stopped, 0, 0};
    UniqueFd guard_watch_;
    bool was_asked_to_stop_ = false;
    bool was_launched_ = false;                    // by us, and it has not been seen to run since
    struct {
        Clock::time_point begun{};  // by us; the past where it was taken over
        bool has_run = false;
    } life_;                               // of the present server, or the last one
    int short_lives_ = 0;                  // starts in a row that came to nothing
    std::uint64_t short_lives_at_ = 0;     // and the revision of the state that they were made with
    Clock::time_point start_allowed_at_{};
    std::optional<Clock::time_point> unseen_since_;
    std::optional<Clock::time_point> step_begun_;  // of the start, then of what makes the running server ready
    bool is_prepared_ = false;                     // the primary's roles are in place
    int unready_looks_ = 0;
    bool holds_limits_ = false;  // the settings wait for the primary to lower its own first
    bool needs_restart_ = false;
    bool is_reloading_ = false;  // our settings were written and PostgreSQL has not read them yet
    std::string loaded_at_;      // pg_conf_load_time() before that
    bool is_joining_ = false;    // a replica that streams is not yet in the sync set
    NodeSeen seen_;
    std::vector<std::string> sync_names_;  // in synchronous_standby_names
    bool knows_sync_set_ = false;          // what the store said of it when this began
    std::map<std::string, Clock::time_point> last_streamed_;
    cluster::NodeReport report_;
    cluster::NodeReport published_;
    Clock::time_point published_at_{};
    Clock::time_point log_bounded_at_{};
};

}  // namespace pgtandem
