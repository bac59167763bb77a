#include "agent/node_agent.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

#include "agent/primary_roles.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "instance/configuration.hpp"
#include "instance/initialize.hpp"
#include "io/processes.hpp"

namespace pgtandem {

namespace {

constexpr auto watch_interval = 1s;
constexpr auto impatient_interval = 5ms;
// What does not become ready in the first seconds is looked at less often.
constexpr int most_impatient_looks = 300;
constexpr auto patient_interval = 250ms;
constexpr auto longest_pause = 5s;
constexpr auto report_interval = 200ms;

cluster::Server server_fact(ServerState state) {
    switch (state) {
        case ServerState::stopped: return cluster::Server::stopped;
        case ServerState::starting: return cluster::Server::starting;
        case ServerState::running: return cluster::Server::running;
    }
    return cluster::Server::stopped;
}

// Steps whose time a user wants to see.
bool is_timed(cluster::Intent intent) {
    using enum cluster::Intent;
    return intent == initialize || intent == clone;
}

}  // namespace

NodeAgent::NodeAgent(AgentContext const& context, Board& board, std::string name)
    : context_(context),
      board_(board),
      name_(std::move(name)),
      paths_(context.paths.node(name_)),
      waker_(board.waker(name_)) {
    auto const snapshot = context.store.read();
    if (!snapshot || !snapshot->keys.contains("sync")) return;
    // Replicas that held commits when we last ran count as just gone: the primary does not go on alone at once.
    sync_names_ = snapshot->keys.at("sync").value.get<std::vector<std::string>>();
    for (auto const& replica : sync_names_) last_streamed_[replica] = Clock::now();
}

void NodeAgent::run() {
    for (;;) {
        auto const view = board_.view();
        if (view.leaving) break;
        auto const facts = observe(view);
        seen_.has_ended = server_.state == ServerState::stopped;
        board_.set_seen(name_, seen_);
        auto const& rule = cluster::decide(facts);
        say(rule);
        if (rule.then == Intent::rest) break;
        auto const begun = Clock::now();
        auto const done = perform(rule, view);
        if (rule.then == Intent::remove && done) break;
        if (done && is_timed(rule.then)) {
            report_.seconds[std::string(to_string(rule.then))] =
                std::chrono::duration<double>(Clock::now() - begun).count();
        }
        if (!done) note_failure(done.error());
        report_.settled_revision = holds_limits_ ? 0 : seen_.settled_revision;
        board_.set_seen(name_, seen_);
        publish();
        auto const pause = done
                               ? pause_after(rule.then)
                               : std::min<Clock::duration>(longest_pause, 100ms * (1 << std::min(report_.failures, 6)));
        if (pause > Clock::duration::zero()) waker_.wait(pause, guard_watch_.get());
    }
    lose_session();
    publish();
    ended_ = true;
    board_.wake_all();
}

Clock::duration NodeAgent::pause_after(Intent intent) const {
    switch (intent) {
        case Intent::wait_for_server:
        case Intent::stop: return impatient_interval;
        case Intent::restart: return impatient_interval;
        case Intent::wait_for_primary: return watch_interval;
        case Intent::refuse: return longest_pause;
        case Intent::watch:
            if (report_.ready && !is_reloading_ && !is_joining_) return watch_interval;
            return unready_looks_ < most_impatient_looks ? Clock::duration(2 * impatient_interval) : patient_interval;
        default: return Clock::duration::zero();
    }
}

cluster::NodeFacts NodeAgent::observe(BoardView const& view) {
    auto const entry = view.state.nodes.find(name_);
    bool const known = entry != view.state.nodes.end();
    if (known) port_ = entry->second.port;
    note_server(observe_server(paths_));
    cluster::NodeFacts facts;
    facts.is_primary = is_primary(view);
    facts.removed = !known || entry->second.removed;
    auto const primary = view.seen.find(view.state.primary);
    bool const primary_has_ended = primary == view.seen.end() || primary->second.has_ended;
    facts.stopping = view.going_down && (facts.is_primary || primary_has_ended);
    facts.was_initialized = !view.state.system_identifier.empty();
    report_.generation = data_generation(paths_);
    facts.has_data = report_.generation > 0;
    facts.data_is_current = facts.is_primary || !known || report_.generation >= entry->second.generation;
    facts.copy_is_ready = is_there(paths_.ready());
    facts.server = server_fact(server_.state);
    facts.primary_answers = view.primary_answers && !view.going_down;
    facts.is_configured =
        facts.has_data && settings_are_current(paths_.data(), wanted_settings(view), !facts.is_primary);
    facts.needs_restart = needs_restart_;
    facts.may_restart = !facts.is_primary;
    if (facts.is_primary && needs_restart_) {
        facts.may_restart = std::ranges::all_of(view.state.nodes, [&](auto const& node) {
            if (node.first == name_ || node.second.removed) return true;
            auto const other = view.seen.find(node.first);
            return other != view.seen.end() && other->second.settled_revision >= view.revision;
        });
    }
    return facts;
}

void NodeAgent::note_server(ServerProcess const& server) {
    bool const is_new_guard = server.guard != server_.guard;
    bool const ended = is_new_guard && server.guard == 0;
    if (ended && server_.guard > 0) {
        ::waitpid(server_.guard, nullptr, 0);  // where it is our child; it has let go of its lock and is about to end
        if (was_launched_ && server_.state != ServerState::running) {
            note_failure(Error{"starting the server", "", last_words(paths_)});
        } else if (!was_asked_to_stop_) {
            log::warn("{}: the server has ended: {}", name_, last_words(paths_));
        }
        was_asked_to_stop_ = false;
    }
    if (is_new_guard) guard_watch_ = server.guard > 0 ? watch_process(server.guard) : UniqueFd();
    if (is_new_guard || server.state != ServerState::running) lose_session();
    if (server.state == ServerState::running) {
        if (was_launched_) {
            report_.error.clear();
            end_step("start");
        }
        was_launched_ = false;
    }
    server_ = server;
}

void NodeAgent::end_step(char const* step) {
    if (!step_begun_) return;
    report_.seconds[step] = std::chrono::duration<double>(Clock::now() - *step_begun_).count();
    step_begun_ = Clock::now();
}

void NodeAgent::lose_session() {
    session_.reset();
    is_prepared_ = false;
    needs_restart_ = false;
    is_reloading_ = false;
    is_joining_ = false;
    seen_.settled_revision = 0;
    seen_.streams = false;
    report_.ready = false;
    auto const view = board_.view();
    if (is_primary(view)) board_.set_primary_answers(false);
}

std::string NodeAgent::wanted_settings(BoardView const& view) {
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
    if (!is_there(paths_.data()) || settings_are_current(paths_.data(), text, true)) return text;
    // A limit may not be lower here than the primary's was in the WAL replayed so far, or recovery ends: it is lowered
    // on the primary first, and here once that has been replayed.
    auto const limits = replayed_limits(context_.programs, paths_.data());
    if (!limits) return text;
    for (auto const& [name, replayed] : *limits) {
        auto const wanted = configuration.settings.find(name);
        if (wanted == configuration.settings.end() || std::atoi(wanted->second.c_str()) >= replayed) continue;
        wanted->second = std::to_string(replayed);
        holds_limits_ = true;
    }
    return render_settings(configuration, context_.paths);
}

void NodeAgent::say(cluster::NodeRule const& rule) {
    auto const phase = std::string(to_string(rule.then));
    if (report_.phase == phase && report_.detail == rule.because) return;
    report_.phase = phase;
    report_.detail = rule.because;
    if (rule.then != Intent::clone) report_.done_bytes = report_.total_bytes = 0;
    if (rule.then != Intent::watch) report_.ready = false;
    log::info("{}: {} ({}: {})", name_, phase, rule.id, rule.because);
    publish();
}

void NodeAgent::note_failure(Error const& error) {
    if (error.kind == ErrorKind::stopped) return;
    auto const line = error.line();
    if (report_.error != line) log::warn("{}: {}", name_, line);
    report_.error = line;
    report_.hint = error.hint;
    ++report_.failures;
}

void NodeAgent::publish() {
    if (report_ == published_) return;
    bool const only_bytes_changed = report_.phase == published_.phase && report_.ready == published_.ready &&
                                    report_.failures == published_.failures && report_.seconds == published_.seconds &&
                                    report_.settled_revision == published_.settled_revision;
    if (only_bytes_changed && Clock::now() - published_at_ < report_interval) return;
    if (auto const written = context_.reports.write({{"nodes/" + name_, to_json(report_)}}); !written) {
        log::warn("{}: {}", name_, written.error().line());
        return;
    }
    published_ = report_;
    published_at_ = Clock::now();
}

}  // namespace pgtandem
