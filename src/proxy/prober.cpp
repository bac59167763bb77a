#include "proxy/prober.hpp"

#include <algorithm>

#include "pg/lsn.hpp"

namespace pgtandem::proxy {

namespace {

// Nobody waits: those who come within a moment are answered together.
constexpr auto sample_pause = std::chrono::microseconds(500);
// A replica that has not replayed what is waited for is asked again after so long, and then after twice as long each time.
constexpr auto first_pause = std::chrono::microseconds(150);
constexpr auto longest_pause = std::chrono::microseconds(1200);
constexpr auto rest_after_failure = std::chrono::milliseconds(50);
constexpr auto answer_patience = std::chrono::seconds(2);
constexpr auto idle_time = std::chrono::seconds(60);
// Then it is time to see whether the role that should ask can come in.
constexpr auto reserve_time = std::chrono::seconds(10);

std::string_view value(wire::DataRow const& row, std::size_t column) {
    return column < row.values.size() ? row.values[column].value_or("") : std::string_view();
}

std::uint64_t lsn_in(wire::DataRow const& row, std::size_t column) { return lsn_or_zero(value(row, column)).value(); }

}  // namespace

Prober::Prober(io::Loop& loop, ReportedRegistry& reported, Samples& samples, Acknowledged const& acknowledged, std::function<void()> tell_news)
    : loop_(loop),
      reported_(reported),
      samples_(samples),
      acknowledged_(acknowledged),
      tell_news_(std::move(tell_news)),
      timer_(loop.make_timer([this] { look(); })) {}

void Prober::look() {
    if (std::exchange(will_look_, true)) return;
    loop_.defer([this] { look_now(); });
}

void Prober::take_routing(std::shared_ptr<Routing const> routing) {
    routing_ = std::move(routing);
    std::erase_if(servers_, [this](auto const& entry) {
        bool const is_there = std::ranges::any_of(routing_->servers, [&](auto const& server) { return server.position->id() == entry.first && server.is_usable; });
        if (!is_there) samples_.forget(entry.first);
        return !is_there;
    });
    look();
}

void Prober::tidy() {
    auto const now = loop_.now();
    for (auto& [id, server] : servers_) {
        if (!server.line) continue;
        auto const since = now - server.line->used_at();
        bool const is_due = server.is_by_reserve && now - server.line_made_at > reserve_time;
        if (server.line->waits_for_answer() ? since > answer_patience : is_due || since > idle_time) {
            server.line.reset();
            server.is_by_reserve = false;
        }
    }
    look();
}

void Prober::look_now() {
    will_look_ = false;
    next_look_ = Clock::time_point::max();
    if (!routing_->has_reader) return;
    for (auto const& server : routing_->servers) {
        if (routing_->follows_primary(server)) ask_replica(server);
    }
    // Fences may have asked for a sample.
    if (auto const* const primary = routing_->primary()) ask_primary(*primary);
    for (auto const& server : routing_->servers) {
        if (routing_->follows_primary(server)) ask_beside_sample(server);
    }
    if (next_look_ != Clock::time_point::max()) timer_->start(std::max<Clock::duration>(next_look_ - loop_.now(), std::chrono::microseconds(1)));
}

// Opens the line where there is none.
bool Prober::may_ask(ServerEntry const& entry, Server& server) {
    if (server.line && server.line->is_lost()) {
        server.is_by_reserve = !server.is_by_reserve && server.line->was_refused() && entry.reserve_login;
        server.line.reset();
        rest(server, rest_after_failure);
    }
    if (loop_.now() < server.not_before) {
        next_look_ = std::min(next_look_, server.not_before);
        return false;
    }
    if (!server.line) {
        auto const& login = server.is_by_reserve ? entry.reserve_login : entry.watch_login;
        server.line = std::make_unique<ProbeLine>(loop_, reported_, entry, login, [this] { look(); });
        server.line_made_at = loop_.now();
    }
    return server.line->is_free();
}

void Prober::rest(Server& server, Clock::duration span) { server.not_before = loop_.now() + span; }

void Prober::ask_primary(ServerEntry const& primary) {
    auto& server = servers_[primary.position->id()];
    if (!samples_.is_wanted() || !may_ask(primary, server)) return;
    Sample asked;
    asked.ticket = samples_.last_ticket();
    asked.epoch = routing_->epoch;
    asked.acknowledged = acknowledged_.last();
    asked.acknowledged_without_flush = acknowledged_.last_without_flush();
    asked.is_flushed_late = primary.commits_without_flush;
    ++samples_asked_;
    is_sample_under_way_ = true;
    server.line->ask("EXECUTE sample", [this, &server, asked](wire::DataRow const* row) {
        is_sample_under_way_ = false;
        if (row == nullptr) return rest(server, rest_after_failure);
        auto shown = parse_snapshot(value(*row, 2));
        if (!shown) return rest(server, rest_after_failure);
        auto sample = asked;
        sample.flushed = lsn_in(*row, 0);
        sample.inserted = lsn_in(*row, 1);
        sample.shown = std::move(*shown);
        samples_.publish(std::move(sample));
        tell_news_();
        rest(server, samples_.has_waiters() ? first_pause : sample_pause);
    });
}

void Prober::ask_replica(ServerEntry const& replica) {
    auto& server = servers_[replica.position->id()];
    auto& wishes = samples_.of(*replica.position);
    auto const next = server.fence.next(samples_, wishes, routing_->epoch);
    if (next != FenceRun::Next::question) take_fence_step(next);
    else if (may_ask(replica, server)) ask_for_fence(replica, server);
    bool const is_behind = wishes.replayed > replica.position->replayed();
    if (is_behind && samples_.has_waiters() && may_ask(replica, server)) ask_how_far(replica, server);
}

void Prober::take_fence_step(FenceRun::Next next) {
    if (next == FenceRun::Next::nothing) return;
    look();
    if (next == FenceRun::Next::fenced) tell_news_();
}

void Prober::ask_for_fence(ServerEntry const& replica, Server& server) {
    auto const query = "EXECUTE fence (" + server.fence.question(samples_) + ")";
    server.line->ask(query, [this, &server, position = replica.position](wire::DataRow const* row) {
        auto const xmax = row == nullptr ? std::nullopt : parse_xids(value(*row, 1));
        auto const committed = row == nullptr ? std::nullopt : parse_xids(value(*row, 2));
        if (!committed || !xmax || xmax->size() != 1) {
            rest(server, rest_after_failure);
            return server.fence.take_failure(samples_);
        }
        position->set_replayed(lsn_in(*row, 0));
        take_fence_step(server.fence.take_answer(xmax->front(), *committed, samples_, samples_.of(*position)));
    });
}

// Whoever waits for the sample will need to know next how far the replicas are: in most cases they have it by now.
void Prober::ask_beside_sample(ServerEntry const& replica) {
    auto& server = servers_[replica.position->id()];
    if (!is_sample_under_way_ || !samples_.has_waiters() || server.asked_beside == samples_asked_ || !may_ask(replica, server)) return;
    server.asked_beside = samples_asked_;
    ask_how_far(replica, server);
}

void Prober::ask_how_far(ServerEntry const& replica, Server& server) {
    server.line->ask("EXECUTE follow", [this, &server, position = replica.position](wire::DataRow const* row) {
        if (row == nullptr) return rest(server, rest_after_failure);
        auto const before = position->replayed();
        position->set_replayed(lsn_in(*row, 0));
        bool const is_there = position->replayed() >= samples_.of(*position).replayed;
        server.pause = is_there ? Clock::duration() : std::clamp<Clock::duration>(2 * server.pause, first_pause, longest_pause);
        if (position->replayed() != before) tell_news_();
        if (!is_there) rest(server, server.pause);
    });
}

}  // namespace pgtandem::proxy
