#include "proxy/turns.hpp"

#include <algorithm>
#include <tuple>

namespace pgtandem::proxy {

namespace {

// So many sessions are looked at for whom no free backend fits: each will get one that is opened for it.
constexpr std::size_t most_looked_at = 64;

}  // namespace

bool gives_way(Holding const& holding, Want const& want, Clock::time_point now) {
    bool const is_young = now < holding.made_at + tenure;
    if (!holding.waiting_since) return !is_young || !want.has_backends;
    return !is_young && want.since + margin < *holding.waiting_since;
}

void Room::serve_wanting(Clock::time_point now) {
    while (!wanting_.empty() && wanting_.begin()->second->open_missing(now)) continue;
}

void Line::join(std::uint64_t session, Clock::time_point now) {
    waiters_.push_back({session, now});
    places_[session] = std::prev(waiters_.end());
}

bool Line::leave(std::uint64_t session) {
    auto const found = places_.find(session);
    if (found == places_.end()) return false;
    take_out(found->second);
    return true;
}

void Line::take_out(Waiters::iterator place) {
    places_.erase(place->session);
    waiters_.erase(place);
    if (wanted_ == nullptr) return;
    if (waiters_.empty()) stop_wanting();
    else want(*wanted_);
}

std::vector<std::uint64_t> Line::take_out_until(Clock::time_point since) {
    std::vector<std::uint64_t> found;
    while (!waiters_.empty() && waiters_.front().since <= since) {
        found.push_back(waiters_.front().session);
        take_out(waiters_.begin());
    }
    return found;
}

std::optional<Clock::time_point> Line::waiting_since() const {
    if (waiters_.empty()) return std::nullopt;
    return waiters_.front().since;
}

std::size_t Line::still_to_open() const { return waiting() - std::min(waiting(), on_their_way()); }

void Line::serve(Clock::time_point now) {
    while (give_one(now)) continue;
    is_given_out_ = true;
    open_missing(now);
    is_given_out_ = false;
    // What is left over may be room for others.
    group_.serve_wanting(now);
    for (auto* const server : std::vector<Room*>(servers_)) server->serve_wanting(now);
}

bool Line::give_one(Clock::time_point now) {
    if (waiters_.empty() || free_count() == 0) return false;
    if (gives_way_to_others(waiters_.front().since, now)) return true;
    std::size_t looked_at = 0;
    for (auto place = waiters_.begin(); place != waiters_.end() && looked_at < most_looked_at; ++place, ++looked_at) {
        auto const session = place->session;
        auto const backend = take_free(session, place->since);
        if (backend == 0) continue;
        take_out(place);
        give(session, backend);  // the session runs on at once: nothing here is as it was
        return true;
    }
    return false;
}

bool Line::gives_way_to_others(Clock::time_point since, Clock::time_point now) {
    auto const try_room = [&](Room& room) {
        if (room.wanting_.empty()) return false;
        auto const [wanted_since, line] = *room.wanting_.begin();
        return line != this && wanted_since + margin < since && line->open_missing(now);
    };
    return try_room(group_) || std::ranges::any_of(std::vector<Room*>(servers_), [&](Room* server) { return try_room(*server); });
}

bool Line::open_missing(Clock::time_point now) {
    bool has_changed = false;
    for (;;) {
        auto* const server = still_to_open() > 0 ? server_to_open() : nullptr;
        if (server == nullptr) return stop_wanting() || has_changed;
        auto* const full = group_.is_full() ? &group_ : server->is_full() ? server : nullptr;
        if (full == nullptr) {
            open();
        } else if (!make_room(*full, now)) {
            return want(*full) || has_changed;
        }
        has_changed = true;
    }
}

bool Line::make_room(Room const& room, Clock::time_point now) {
    Want const wish{waiters_.front().since, backends_ > 0};
    Line* holder = nullptr;
    std::uint64_t victim = 0;
    std::tuple<bool, bool, Clock::time_point> best;
    std::optional<Clock::time_point> next_look;
    for (auto const& [line, count] : room.holders_) {
        if (line == this && !is_given_out_) continue;
        auto const since = line == this ? std::nullopt : line->waiting_since();
        for (auto const& free : line->free_backends()) {
            if (&room != &line->group_ && &room != free.server) continue;
            bool const may_go = free.kept.may_go(now, wish.since) && (line == this || gives_way({free.made_at, since}, wish, now));
            if (!may_go) {
                auto const then = std::max(free.made_at + tenure, free.kept.until);
                if (then > now) next_look = std::min(next_look.value_or(then), then);
                continue;
            }
            std::tuple const order(since.has_value(), is_stranger_to(*line), free.used_at);
            if (holder != nullptr && best <= order) continue;
            best = order;
            holder = line;
            victim = free.id;
        }
    }
    if (holder == nullptr) {
        if (next_look) look_again_at(*next_look);
        return false;
    }
    holder->end_free(victim);
    return true;
}

// True: it has not waited for this room before.
bool Line::want(Room& room) {
    auto const since = waiters_.front().since;
    if (wanted_ == &room && wanted_since_ == since) return false;
    bool const is_new = wanted_ != &room;
    stop_wanting();
    room.wanting_.emplace(since, this);
    wanted_ = &room;
    wanted_since_ = since;
    return is_new;
}

bool Line::stop_wanting() {
    if (wanted_ == nullptr) return false;
    wanted_->wanting_.erase({wanted_since_, this});
    wanted_ = nullptr;
    return true;
}

void Line::count(Room& room, int change) {
    room.used_ += static_cast<std::size_t>(change);
    auto& count = room.holders_[this];
    count += static_cast<std::size_t>(change);
    if (count == 0) room.holders_.erase(this);
}

void Line::occupy(Room& server) {
    ++backends_;
    count(group_, 1);
    count(server, 1);
    if (std::ranges::find(servers_, &server) == servers_.end()) servers_.push_back(&server);
}

void Line::vacate(Room& server) {
    --backends_;
    count(group_, -1);
    count(server, -1);
    if (!server.holders_.contains(this)) std::erase(servers_, &server);
}

bool Line::is_wanted_by_others() const {
    auto const is_wanted = [&](Room const& room) {
        return room.wanting_.size() > (wanted_ == &room ? 1 : 0);
    };
    return is_wanted(group_) || std::ranges::any_of(servers_, [&](Room const* server) { return is_wanted(*server); });
}

}  // namespace pgtandem::proxy
