// What NodeAgent sees of its node: the facts that its rules are asked with.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agent/node_agent.hpp"
#include "agent/primary_roles.hpp"
#include "base/log.hpp"
#include "cluster/start_pause.hpp"
#include "instance/configuration.hpp"
#include "instance/initialize.hpp"
#include "io/processes.hpp"

namespace pgtandem {

namespace {

// A guard that has let go of its lock ends at once.
constexpr auto guard_ends_within = 5s;
// A cluster that goes down does not wait longer for a node that cannot be seen.
constexpr auto unseen_patience = 15s;

cluster::Server server_fact(ServerState state) {
    switch (state) {
        case ServerState::stopped: return cluster::Server::stopped;
        case ServerState::starting: return cluster::Server::starting;
        case ServerState::running: return cluster::Server::running;
    }
    return cluster::Server::stopped;
}

}  // namespace

cluster::NodeFacts NodeAgent::observe(BoardView const& view) {
    auto const entry = view.state.nodes.find(name_);
    bool const known = entry != view.state.nodes.end();
    if (known) port_ = entry->second.port;
    cluster::NodeFacts facts;
    facts.is_primary = is_primary(view);
    facts.removed = !known || entry->second.removed;
    auto const primary = view.seen.find(view.state.primary);
    bool const primary_has_ended = primary == view.seen.end() || primary->second.has_ended;
    facts.stopping = view.going_down && (facts.is_primary || primary_has_ended);
    facts.was_initialized = !view.state.system_identifier.empty();
    facts.primary_answers = view.primary_answers && !view.going_down;
    auto const seen = look(view, facts);
    facts.is_seen = seen.has_value();
    if (!seen) {
        note_failure(seen.error());
        if (!unseen_since_) unseen_since_ = Clock::now();
        // Counted from when it matters.
        if (!view.going_down) unseen_since_ = Clock::now();
        facts.is_long_unseen = Clock::now() - *unseen_since_ > unseen_patience;
        return facts;
    }
    unseen_since_.reset();
    facts.needs_restart = needs_restart_;
    facts.may_restart = !facts.is_primary || others_have_settled(view);
    return facts;
}

// Replicas that held commits when we last ran count as just gone: the primary does not go on alone at once.
Status NodeAgent::read_sync_set() {
    PGTANDEM_TRY(snapshot, context_.store.read());
    if (auto const found = snapshot.keys.find("sync"); found != snapshot.keys.end()) {
        sync_names_ = found->second.value.get<std::vector<std::string>>();
    }
    for (auto const& replica : sync_names_) last_streamed_[replica] = Clock::now();
    knows_sync_set_ = true;
    return {};
}

Status NodeAgent::look(BoardView const& view, cluster::NodeFacts& facts) {
    if (!knows_sync_set_) PGTANDEM_CHECK(read_sync_set());
    PGTANDEM_TRY(server, observe_server(paths_));
    note_server(server, view);
    seen_.has_ended = server_.state == ServerState::stopped;
    facts.server = server_fact(server_.state);
    facts.start_waits = Clock::now() < start_allowed_at_;
    PGTANDEM_TRY(generation, data_generation(paths_));
    report_.generation = generation;
    facts.has_data = generation > 0;
    auto const entry = view.state.nodes.find(name_);
    facts.data_is_current = facts.is_primary || entry == view.state.nodes.end() || generation >= entry->second.generation;
    PGTANDEM_TRY(copy_is_ready, look_for(paths_.ready()));
    facts.copy_is_ready = copy_is_ready;
    if (!facts.has_data) return {};
    PGTANDEM_TRY(settings, wanted_settings(view));
    PGTANDEM_TRY(is_configured, settings_are_current(paths_.data(), settings, !facts.is_primary));
    facts.is_configured = is_configured;
    return {};
}

// Whether the primary's restart, which comes last, may come.
bool NodeAgent::others_have_settled(BoardView const& view) const {
    return std::ranges::all_of(view.state.nodes, [&](auto const& node) {
        if (node.first == name_ || node.second.removed) return true;
        auto const other = view.seen.find(node.first);
        return other != view.seen.end() && other->second.settled_revision >= view.revision;
    });
}

void NodeAgent::note_server(ServerProcess const& server, BoardView const& view) {
    bool const is_new_guard = server.guard != server_.guard;
    if (is_new_guard && server.guard == 0 && server_.guard > 0) {
        // Where it is our child: it has let go of its lock and is about to end.
        if (wait_for_end(server_.guard, Deadline::in(guard_ends_within))) ::waitpid(server_.guard, nullptr, WNOHANG);
        note_end(view.revision);
    }
    if (is_new_guard || (server.guard > 0 && !guard_watch_)) {
        guard_watch_ = server.guard > 0 ? watch_process(server.guard) : UniqueFd();
    }
    if (is_new_guard || server.state != ServerState::running) lose_session();
    if (server.state == ServerState::running) {
        if (was_launched_) {
            report_.error.clear();
            end_step("start");
        }
        was_launched_ = false;
        life_.has_run = true;
    }
    // What somebody has changed since may be what it needs.
    if (view.revision != short_lives_at_) start_allowed_at_ = {};
    server_ = server;
}

// The server has ended: how soon may it be started again?
void NodeAgent::note_end(std::uint64_t revision) {
    bool const was_asked = std::exchange(was_asked_to_stop_, false);
    auto const now = Clock::now();
    bool const lasted = life_.has_run && now - life_.begun >= cluster::lasting_life;
    if (lasted || was_asked || revision != short_lives_at_) short_lives_ = 0;
    short_lives_at_ = revision;
    if (!lasted && !was_asked) ++short_lives_;
    auto const pause = cluster::pause_before_start(short_lives_);
    start_allowed_at_ = now + pause;
    report_.pause_seconds = std::chrono::duration<double>(pause).count();
    if (was_asked) return;
    auto const words = last_words(paths_);
    if (was_launched_ && server_.state != ServerState::running) {
        note_failure(Error{"starting the server", "", words});
    } else {
        log::warn("{}: the server has ended: {}", name_, words);
        if (!lasted && short_lives_ > 1) note_failure(Error{"keeping the server running", "", words});
    }
}

Result<std::string> NodeAgent::wanted_settings(BoardView const& view) {
    auto const& state = view.state;
    ServerConfiguration configuration{name_, state.listen, port_, "", "", "", state.postgresql};
    if (is_primary(view)) {
        configuration.synchronous_standby_names = cluster::synchronous_standby_names(sync_names_);
        return render_settings(configuration, context_.paths);
    }
    auto const primary_port = state.nodes.at(state.primary).port;
    configuration.primary_conninfo = to_keywords(replication_conninfo(context_.paths, primary_port, name_));
    configuration.primary_slot_name = slot_name(name_);
    auto const text = render_settings(configuration, context_.paths);
    holds_limits_ = false;
    PGTANDEM_TRY(has_data, look_for(paths_.data()));
    if (!has_data) return text;
    PGTANDEM_TRY(is_current, settings_are_current(paths_.data(), text, true));
    if (is_current) return text;
    // A limit may not be lower here than the primary's was in the WAL replayed so far, or recovery ends: it is lowered
    // on the primary first, and here once that has been replayed.
    PGTANDEM_TRY(limits, replayed_limits(context_.programs, paths_.data()));
    for (auto const& [name, replayed] : limits) {
        auto const wanted = configuration.settings.find(name);
        if (wanted == configuration.settings.end() || std::atoi(wanted->second.c_str()) >= replayed) continue;
        wanted->second = std::to_string(replayed);
        holds_limits_ = true;
    }
    return render_settings(configuration, context_.paths);
}

}  // namespace pgtandem
