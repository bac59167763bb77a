#include "proxy/session_floor.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace pgtandem::proxy {

namespace {

// So long a session reads on one server before it looks whether another one has clearly less to do, and so long before it
// takes its turn with the others in any case: to leave a server costs questions.
constexpr auto home_quantum = std::chrono::milliseconds(200);
constexpr auto home_longest = std::chrono::seconds(2);
constexpr double clearly = 1.5;
// After which it tries again to leave, where the next server was not far enough in time.
constexpr auto next_try = std::chrono::milliseconds(500);
// A replica that is further behind is not waited for.
constexpr auto nearly_there = std::chrono::milliseconds(50);

// Beside what others have written, a session stays where it reads, and sees no less there than before.
bool stays_home(ReadRules const& rules) { return rules.consistency == Consistency::session || rules.consistency == Consistency::endpoint; }

bool is_nearly_there(ServerEntry const& server) { return server.position->lag() <= nearly_there; }

// From another place each time, so that servers with equal loads take turns.
std::size_t next_turn() {
    static thread_local std::size_t turn = 0;
    return ++turn;
}

ReadPlace place_of(ServerEntry const& server) { return server.is_primary ? ReadPlace::primary_share : ReadPlace::replica; }

}  // namespace

std::string_view name(ReadPlace place) {
    switch (place) {
        case ReadPlace::replica: return "replica";
        case ReadPlace::primary_share: return "primary_share";
        case ReadPlace::no_replica: return "no_replica";
        case ReadPlace::not_caught_up: return "not_caught_up";
        case ReadPlace::no_sample: return "no_sample";
    }
    return "";
}

void SessionFloor::was_on_primary(Routing const& routing, bool may_be_late) {
    enter_epoch(routing);
    auto const* const primary = routing.primary();
    auto const* const home = home_in(routing);
    // Home has shown what the primary may not show yet, or the primary has gone while it worked.
    if (primary == nullptr || (may_be_late && home != nullptr && routing.follows_primary(*home))) {
        outdate_questions();
        asks_for_home_ = true;
    } else {
        use(*primary, {});
    }
}

void SessionFloor::wrote(Routing const& routing, Samples* samples, bool may_be_late, bool without_flush) {
    was_on_primary(routing, may_be_late);
    reads_after_writes_ = !std::exchange(has_unread_write_, true);
    bool const asks_now = samples != nullptr && reads_after_writes_ && !is_resident_;
    if (asks_now) ticket_ = samples->take_ticket();
    takes_inserted_ = takes_inserted_ || without_flush;
}

// The session is about to use the server, or has done so: a question that was put before does not cover it.
void SessionFloor::use(ServerEntry const& server, Clock::time_point since) {
    outdate_questions();
    fence_ = goal_ = 0;
    is_leaving_ = false;
    home_ = server.position->id();
    home_since_ = looked_around_ = since;
    // The primary shows whatever there is to see; a replica is used only where it has what was asked for.
    asks_for_home_ = false;
    takes_inserted_ = takes_inserted_ && server.is_primary;
}

void SessionFloor::outdate_questions() {
    ticket_ = bound_ = 0;
    is_sampled_ = has_fresh_ticket_ = false;
}

void SessionFloor::begin_read(std::uint64_t acknowledged) {
    must_see_ = acknowledged;
    has_fresh_ticket_ = false;
}

ReadChoice SessionFloor::choose(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience) {
    auto const can_read = [&](ServerEntry const& server) { return rules.can_use(routing, server, now); };
    enter_epoch(routing);
    has_unread_write_ = false;
    if (rules.is_loose()) return choose_late(routing, rules, now);
    if (std::ranges::none_of(routing.servers, can_read)) return to_primary(routing, samples, rules, ReadPlace::no_replica, patience);
    if (timeline_awaited_ != 0) {
        return patience == Patience::all ? ReadChoice{true} : to_primary(routing, samples, rules, ReadPlace::no_sample, patience);
    }
    if (reads_where_it_wrote(routing, samples, rules, now)) return {false, routing.primary(), ReadPlace::primary_share};
    if (!is_covered(rules)) look_for_acknowledged(samples);
    if (auto const home = stay_home(routing, samples, rules, now, patience); home.must_wait || home.server != nullptr) return home;
    if (is_hopeless(routing, rules, now)) return to_primary(routing, samples, rules, ReadPlace::not_caught_up, patience);
    // Others may have written since the session's last use of a server.
    if (rules.consistency == Consistency::strict && !std::exchange(has_fresh_ticket_, true)) {
        ticket_ = samples.take_ticket();
        is_sampled_ = false;
    }
    // Asked for together with the sample.
    bool const is_shared = routing.primary() != nullptr && rules.has_share(*routing.primary());
    bool const needs_fence = is_shared && !is_fenced(routing, samples);
    if (!has_sample(routing, samples) || !is_covered(rules)) {
        if (patience == Patience::all) return {true};
        // Nothing but the wish to leave needed it.
        auto const* const home = is_leaving_ ? home_in(routing) : nullptr;
        bool const may_stay = home != nullptr && (home->is_primary || is_covered(rules));
        if (may_stay && is_good_home(routing, *home, rules, now)) return stay_after_all(*home, now);
        return to_primary(routing, samples, rules, ReadPlace::no_sample, patience);
    }
    if (needs_fence && patience == Patience::all) return {true};
    return choose_seen(routing, samples, rules, now, patience);
}

bool SessionFloor::may_go_to_primary(Routing const& routing, Samples& samples, ReadRules const& rules) {
    enter_epoch(routing);
    return rules.is_loose() || is_fenced(routing, samples);
}

ServerEntry const* SessionFloor::home_in(Routing const& routing) const {
    auto const home = std::ranges::find_if(routing.servers, [&](auto const& server) { return server.position->id() == home_; });
    return home == routing.servers.end() ? nullptr : &*home;
}

// Whether the primary shows all that this session has read on a replica. One that answers no more cannot be asked.
bool SessionFloor::is_fenced(Routing const& routing, Samples& samples) {
    auto const* const home = home_in(routing);
    if (home == nullptr || !routing.follows_primary(*home)) return true;
    auto& wishes = samples.of(*home->position);
    // Where the replica was lost for a moment, what was asked of it is not known any more.
    if (fence_ == 0 || fence_ > wishes.last_fence) fence_ = samples.take_fence(wishes);
    return wishes.is_fenced(fence_);
}

// What was seen under another primary is asked of this one: what there is of it still, its position is above. Home keeps what it
// has shown, perhaps of the new primary already.
void SessionFloor::enter_epoch(Routing const& routing) {
    auto const* const primary = routing.primary();
    if (primary != nullptr && primary->timeline >= timeline_awaited_) timeline_awaited_ = 0;
    if (epoch_ == routing.epoch) return;
    bool const is_first = epoch_ == 0;
    epoch_ = routing.epoch;
    if (is_first) return;
    outdate_questions();
    floor_ = fence_ = covered_ = 0;
    asks_for_home_ = true;
}

// Raises the floor above what others were told of, as soon as that is known.
void SessionFloor::look_for_acknowledged(Samples& samples) {
    if (auto const position = samples.position_of(must_see_, epoch_)) {
        floor_ = std::max(floor_, *position);
        covered_ = must_see_;
    } else if (samples.latest().ticket >= ticket_of_all_) {
        ticket_of_all_ = samples.take_ticket();
    }
}

bool SessionFloor::may_read_on_here(Routing const& routing, Samples const& samples, ReadRules const& rules, std::uint64_t acknowledged) const {
    if (rules.consistency == Consistency::strict) return false;
    if (rules.consistency != Consistency::endpoint || acknowledged <= covered_) return true;
    auto const* const home = home_in(routing);
    auto const position = samples.position_of(acknowledged, epoch_);
    return home != nullptr && position && home->position->replayed() >= *position;
}

bool SessionFloor::has_sample(Routing const& routing, Samples& samples) {
    bool const needs_one = home_ != 0 || asks_for_home_ || ticket_ != 0;
    if (!needs_one || is_sampled_) return true;
    if (ticket_ == 0) ticket_ = samples.take_ticket();
    return take_sample(routing, samples);
}

bool SessionFloor::take_sample(Routing const& routing, Samples& samples) {
    auto const& sample = samples.latest();
    if (sample.ticket < ticket_) return false;
    if (sample.epoch != routing.epoch) {
        ticket_ = samples.take_ticket();
        return false;
    }
    auto const* const primary = routing.primary();
    bool const is_unflushed = takes_inserted_ || samples.has_unflushed_commits() || (primary != nullptr && primary->commits_without_flush);
    bound_ = is_unflushed ? sample.inserted : sample.flushed;
    if (std::exchange(asks_for_home_, false)) floor_ = std::max(floor_, bound_);
    ticket_ = 0;
    is_sampled_ = true;
    return true;
}

bool SessionFloor::reads_where_it_wrote(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now) {
    auto const* const primary = routing.primary();
    // Who came to read there has a time of its own.
    bool const is_here = home_since_ == Clock::time_point() && primary != nullptr && home_ == primary->position->id();
    is_resident_ = false;
    if (!is_here || !stays_home(rules) || !rules.has_share(*primary)) return false;
    auto& residents = samples.residents();
    if (residents.is_to_adapt()) residents.adapt(rules.share_of(*primary, routing, now));
    if (place_ < 0) place_ = residents.take_place();
    is_resident_ = residents.include(place_);
    if (!is_resident_) return false;
    use(*primary, {});
    return true;
}

ReadChoice SessionFloor::stay_home(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience) {
    // It did not come to stay, where it came for other reasons than to read.
    bool const may_stay = home_since_ != Clock::time_point() && !asks_for_home_ && !is_leaving_;
    auto const* const home = may_stay && stays_home(rules) ? home_in(routing) : nullptr;
    if (home == nullptr) return {};
    // The primary shows what it has acknowledged.
    if (!home->is_primary && !is_covered(rules)) return {};
    if (!is_good_home(routing, *home, rules, now)) {
        bool const is_soon = patience == Patience::all && !home->is_primary && rules.can_use(routing, *home, now) && is_nearly_there(*home);
        return is_soon ? wait_for(*home, samples) : ReadChoice{};
    }
    is_leaving_ = has_stayed_enough(routing, *home, rules, now);
    if (is_leaving_) return {};
    // What it reads now is not covered by what was asked for before.
    outdate_questions();
    fence_ = 0;
    return {false, home, place_of(*home)};
}

bool SessionFloor::is_good_home(Routing const& routing, ServerEntry const& home, ReadRules const& rules, Clock::time_point now) const {
    if (home.is_primary) return rules.has_share(home);
    return rules.can_use(routing, home, now) && home.position->replayed() >= floor_;
}

bool SessionFloor::has_stayed_enough(Routing const& routing, ServerEntry const& home, ReadRules const& rules, Clock::time_point now) {
    if (now - home_since_ >= home_longest) return true;
    if (now - looked_around_ < home_quantum) return false;
    looked_around_ = now;
    if (!home.is_primary && !is_nearly_there(home)) return true;
    // With this session's own, before and after it has moved.
    auto const load = rules.load_of(home, now);
    return std::ranges::any_of(routing.servers, [&](ServerEntry const& server) {
        bool const is_reader = server.is_primary ? rules.has_share(server) : rules.can_use(routing, server, now);
        return is_reader && load > clearly * rules.load_of(server, now, 2);
    });
}

bool SessionFloor::may_read_on(ServerEntry const& server, ReadRules const& rules) const {
    auto const replayed = server.position->replayed();
    bool const is_enough_for_home = stays_home(rules) && server.position->id() == home_;
    return replayed >= (is_enough_for_home ? floor_ : std::max(floor_, bound_));
}

// No replica is as far as was needed before, or near: a sample would only make it later.
bool SessionFloor::is_hopeless(Routing const& routing, ReadRules const& rules, Clock::time_point now) const {
    return std::ranges::none_of(routing.servers, [&](ServerEntry const& server) {
        return rules.can_use(routing, server, now) && (is_nearly_there(server) || (ticket_ == 0 && server.position->replayed() >= floor_));
    });
}

SessionFloor::Fit SessionFloor::fit(Routing const& routing, ServerEntry const& server, ReadRules const& rules, Clock::time_point now,
                                    bool may_leave) const {
    if (server.is_primary) return rules.has_share(server) && may_leave ? Fit::now : Fit::no;
    if (!rules.can_use(routing, server, now)) return Fit::no;
    if (may_read_on(server, rules)) return Fit::now;
    // Where others write all the time, only who waits a moment for the next server ever leaves the one it reads on.
    return is_leaving_ && is_nearly_there(server) ? Fit::soon : Fit::no;
}

ReadChoice SessionFloor::choose_seen(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience) {
    ServerEntry const* best = nullptr;
    double least = 0;
    bool has_replica = false;
    bool is_soon = false;
    bool const may_leave = is_fenced(routing, samples);
    auto const count = routing.servers.size();
    // Whom it has waited for comes first.
    auto const goal = std::ranges::find_if(routing.servers, [&](auto const& server) { return server.position->id() == goal_; });
    auto const first = goal == routing.servers.end() ? next_turn() : static_cast<std::size_t>(goal - routing.servers.begin());
    for (std::size_t step = 0; step < count; ++step) {
        auto const& server = routing.servers[(first + step) % count];
        auto const fits = fit(routing, server, rules, now, may_leave);
        if (fits == Fit::no || (fits == Fit::soon && patience != Patience::all)) continue;
        has_replica = has_replica || (!server.is_primary && fits == Fit::now);
        // Who leaves a replica because it falls behind comes back to it only where there is no other.
        bool const is_last_resort = is_leaving_ && server.position->id() == home_ && !server.is_primary && !is_nearly_there(server);
        auto const load = is_last_resort ? std::numeric_limits<double>::max() : rules.load_of(server, now);
        if (best != nullptr && load >= least) continue;
        best = &server;
        least = load;
        is_soon = fits == Fit::soon;
    }
    if (is_soon) {
        goal_ = best->position->id();
        return wait_for(*best, samples);
    }
    if (!has_replica) return wait_or_primary(routing, samples, rules, now, patience);
    if (patience != Patience::all && best->position->id() == home_) return stay_after_all(*best, now);
    return settle(best, place_of(*best), now);
}

// The others were not ready in time.
ReadChoice SessionFloor::stay_after_all(ServerEntry const& home, Clock::time_point now) {
    return settle(&home, place_of(home), now - home_longest + next_try);
}

// Until it has replayed what is needed.
ReadChoice SessionFloor::wait_for(ServerEntry const& replica, Samples& samples) const {
    auto& wanted = samples.of(*replica.position).replayed;
    wanted = std::max({wanted, floor_, bound_});
    return {true};
}

ReadChoice SessionFloor::wait_or_primary(Routing const& routing, Samples& samples, ReadRules const& rules, Clock::time_point now, Patience patience) {
    bool waits = false;
    for (auto const& server : routing.servers) {
        if (patience != Patience::all || !rules.can_use(routing, server, now) || !is_nearly_there(server)) continue;
        waits = wait_for(server, samples).must_wait;
    }
    if (waits) return {true};
    return to_primary(routing, samples, rules, ReadPlace::not_caught_up, patience);
}

ReadChoice SessionFloor::to_primary(Routing const& routing, Samples& samples, ReadRules const& rules, ReadPlace place, Patience patience) {
    if (patience != Patience::none && !may_go_to_primary(routing, samples, rules)) return {true};
    return settle(routing.primary(), place, {});
}

ReadChoice SessionFloor::settle(ServerEntry const* server, ReadPlace place, Clock::time_point since) {
    if (server != nullptr) use(*server, since);
    return {false, server, place};
}

// A read that may be late tells nothing of what the next one is to see.
ReadChoice SessionFloor::choose_late(Routing const& routing, ReadRules const& rules, Clock::time_point now) const {
    ServerEntry const* best = nullptr;
    bool has_replica = false;
    auto const first = next_turn();
    for (std::size_t step = 0; step < routing.servers.size(); ++step) {
        auto const& server = routing.servers[(first + step) % routing.servers.size()];
        if (server.is_primary ? !rules.has_share(server) : !rules.can_use(routing, server, now)) continue;
        has_replica = has_replica || !server.is_primary;
        if (best == nullptr || rules.load_of(server, now) < rules.load_of(*best, now)) best = &server;
    }
    if (!has_replica) return {false, routing.primary(), ReadPlace::no_replica};
    return {false, best, place_of(*best)};
}

std::optional<std::string> SessionFloor::text(Routing const& routing, Samples& samples) {
    enter_epoch(routing);
    auto const* const primary = routing.primary();
    // Whoever takes it may go to the primary: all that this session has seen is to be shown there.
    bool const is_shown = is_fenced(routing, samples);
    bool const is_known = has_sample(routing, samples);
    if (!is_shown || !is_known || timeline_awaited_ != 0) return std::nullopt;
    return std::to_string(primary == nullptr ? 0 : primary->timeline) + ":" + to_string(Lsn(std::max(floor_, bound_)));
}

bool SessionFloor::raise(std::string_view text, Routing const& routing) {
    auto const colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    std::uint32_t timeline = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + colon, timeline);
    auto const lsn = parse_lsn(text.substr(colon + 1));
    if (error != std::errc{} || end != text.data() + colon || !lsn) return false;
    enter_epoch(routing);
    auto const* const primary = routing.primary();
    if (primary != nullptr && primary->timeline == timeline) {
        floor_ = std::max(floor_, lsn->value());
        return true;
    }
    // Of another timeline: whatever of it there is on this one, the primary has by now; or it is the next primary's.
    outdate_questions();
    asks_for_home_ = true;
    if (primary != nullptr && timeline > primary->timeline) timeline_awaited_ = std::max(timeline_awaited_, timeline);
    return true;
}

}  // namespace pgtandem::proxy
