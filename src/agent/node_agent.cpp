#include "agent/node_agent.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "instance/server_log.hpp"

namespace pgtandem {

namespace {

constexpr auto watch_interval = 1s;
constexpr auto impatient_interval = 5ms;
// What does not become ready in the first seconds is looked at less often.
constexpr int most_impatient_looks = 300;
constexpr auto patient_interval = 250ms;
constexpr auto longest_pause = 5s;
constexpr auto report_interval = 200ms;

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
      waker_(board.waker(name_)) {}

void NodeAgent::run() {
    while (!ended_) {
        try {
            ended_ = !turn();
        } catch (std::exception const& fault) {
            // Short of memory, threads or descriptors: the node is looked at again.
            note_failure(Error{"attending to " + name_, "", fault.what()});
            waker_.wait(pause_after_failure());
        }
    }
    board_.wake_all();
}

bool NodeAgent::turn() {
    auto const view = board_.view();
    auto const facts = view.leaving ? cluster::NodeFacts{} : observe(view);
    auto const& rule = cluster::decide(facts);
    if (!view.leaving) say(rule);
    bound_server_log();
    if (view.leaving || rule.then == Intent::rest) return end();
    board_.set_seen(name_, seen_);
    auto const begun = Clock::now();
    auto const done = perform(rule, view);
    if (rule.then == Intent::remove && done) return end();
    if (done && is_timed(rule.then)) {
        report_.seconds[std::string(to_string(rule.then))] = std::chrono::duration<double>(Clock::now() - begun).count();
    }
    if (!done) note_failure(done.error());
    report_.settled_revision = holds_limits_ ? 0 : seen_.settled_revision;
    board_.set_seen(name_, seen_);
    publish();
    auto const pause = done ? pause_after(rule.then) : pause_after_failure();
    if (pause > Clock::duration::zero()) waker_.wait(pause, guard_watch_.get());
    return true;
}

// Whatever state the server is in: one that does not start writes too.
void NodeAgent::bound_server_log() {
    if (Clock::now() - log_bounded_at_ < watch_interval) return;
    log_bounded_at_ = Clock::now();
    remove_oldest_server_logs(paths_);
}

bool NodeAgent::end() {
    // Where it could not be seen any more, the others do not wait for it.
    seen_.has_ended = true;
    board_.set_seen(name_, seen_);
    lose_session();
    publish();
    return false;
}

Clock::duration NodeAgent::pause_after_failure() const {
    return std::min<Clock::duration>(longest_pause, 100ms * (1 << std::min(report_.failures, 6)));
}

Clock::duration NodeAgent::pause_after(Intent intent) const {
    switch (intent) {
        case Intent::wait_for_server:
        case Intent::stop: return impatient_interval;
        case Intent::restart: return impatient_interval;
        case Intent::wait_for_primary: return watch_interval;
        case Intent::look_again: return pause_after_failure();
        case Intent::wait_to_start: return std::max<Clock::duration>(impatient_interval, start_allowed_at_ - Clock::now());
        case Intent::refuse: return longest_pause;
        case Intent::watch:
            if (report_.ready && !is_reloading_ && !is_joining_) return watch_interval;
            return unready_looks_ < most_impatient_looks ? Clock::duration(2 * impatient_interval) : patient_interval;
        default: return Clock::duration::zero();
    }
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
                                    report_.failures == published_.failures &&
                                    report_.pause_seconds == published_.pause_seconds && report_.seconds == published_.seconds &&
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
