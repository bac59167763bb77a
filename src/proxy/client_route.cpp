// Where a session's next transaction runs, and what it takes away from it.
#include <algorithm>
#include <functional>

#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"
#include "sql/hint.hpp"
#include "sql/search_path.hpp"

namespace pgtandem::proxy {

namespace {

// A replica that broke off gets no reads for so long.
constexpr auto avoidance = std::chrono::seconds(1);
// A fence takes some questions to servers that answer: longer only where something is wrong that is not seen yet.
constexpr auto fence_patience = std::chrono::seconds(3);

bool changes_path(sql::Effects const& effects) {
    using enum sql::SettingChange::Kind;
    return effects.verb == sql::Verb::discard_all || std::ranges::any_of(effects.settings, [](auto const& change) {
        return change.kind == reset_all || change.name == "search_path" || change.name == "role";
    });
}

}  // namespace

bool ClientSession::splits() const {
    return settings_->split && target_ == Target::primary && route_wish_ != RouteWish::primary && worker_.routing().has_reader &&
           settings_->pool_mode != PoolMode::session && !state_.is_pinned();
}

// Functions and relations are found by it. While a transaction changes it, nobody here knows which one applies.
KnownPath const& ClientSession::search_path() {
    static KnownPath const unknown;
    if (is_path_changing_ || settings_->pool_mode != PoolMode::transparent || pool_ == nullptr) return unknown;
    auto const& first = pool_->first_path();
    if (path_.settings == state_.settings() && path_.first == first) return path_.path;
    path_ = {state_.settings(), first, {}};
    auto const own = path_.settings->find("search_path");
    // Who "$user" is after SET ROLE has no name here.
    auto const user = path_.settings->contains("role") ? std::string() : user_;
    if (own != path_.settings->end()) path_.path = view_->known_path(sql::path_of_statement(own->second, user));
    else if (first) path_.path = view_->known_path(sql::path_of_value(*first, user));
    return path_.path;
}

ReadRules ClientSession::read_rules() const {
    auto level = consistency_.value_or(settings_->consistency);
    // What the other process of a takeover acknowledges, the primary has to be asked for.
    if (level == Consistency::endpoint && worker_.acknowledged().is_shared()) level = Consistency::strict;
    return {level, settings_->max_lag, &settings_->weights, route_wish_ == RouteWish::replica};
}

bool ClientSession::acquire(Route route, sql::Touched const& read) {
    if (is_waiting_ || is_awaiting_news_) return false;
    auto* pool = pool_;
    auto lease = Lease::ordinary;
    auto const* server = worker_.routing().primary();
    if (route == Route::primary && !may_leave_replica()) return false;
    if (route == Route::reads) {
        auto const choice = choose_server(read);
        if (choice.must_wait) return false;
        server = choice.server;
        bool const is_replica = server != nullptr && !server->is_primary;
        lease = is_replica ? Lease::read_on_replica : Lease::read_on_primary;
        if (is_replica) pool = &worker_.reader_of(*pool_, *server);
    }
    auto& group = pool->group();
    if (group.waiting() >= settings_->queue_length && is_serving_) {
        refused(make_error("ERROR", "53300", "too many clients wait for a backend already", "",
                           "Raise the endpoint's pool_size or queue_length."));
        return false;
    }
    begin_lease(*pool, lease, server);
    if (auto* const free = group.acquire(*this, *pool)) {
        free->session = this;
        attach(*free);
        return true;
    }
    is_waiting_ = true;
    waiting_since_ = worker_.loop().now();
    return false;
}

Clock::time_point ClientSession::waits_until(Patience patience) const {
    auto const since = awaiting_since_ == Clock::time_point() ? worker_.loop().now() : awaiting_since_;
    return since + (patience == Patience::all ? settings_->floor_wait : fence_patience);
}

Patience ClientSession::patience() const {
    auto const now = worker_.loop().now();
    if (now < waits_until(Patience::all)) return Patience::all;
    return now < waits_until(Patience::fences) ? Patience::fences : Patience::none;
}

// What it has read on a replica the primary may show a moment later. False: it waits for that.
bool ClientSession::may_leave_replica() {
    bool const has_split = is_serving_ && settings_->split && target_ == Target::primary && worker_.routing().has_reader;
    bool const may_go = !has_split || is_fenced();
    if (may_go) awaiting_since_ = {};
    else await_news(Awaits::fence);
    return may_go;
}

bool ClientSession::is_fenced() {
    return floor_.may_go_to_primary(worker_.routing(), worker_.samples(), read_rules()) || patience() == Patience::none;
}

std::uint64_t ClientSession::acknowledged(sql::Touched const& read) const {
    return worker_.acknowledged().last_of(read, std::hash<std::string>{}(database_));
}

// One more read, of what a replica is read on already.
bool ClientSession::may_read_on(sql::Touched const& read) {
    return floor_.may_read_on_here(worker_.routing(), worker_.samples(), read_rules(), acknowledged(read));
}

ReadChoice ClientSession::choose_server(sql::Touched const& read) {
    auto const now = worker_.loop().now();
    bool const has_waited = awaiting_since_ != Clock::time_point() && awaits_ == Awaits::read;
    if (!has_waited) floor_.begin_read(acknowledged(read));
    bool const is_chosen = chosen_ && chosen_->at == now && chosen_->routing_version == worker_.routing().version;
    auto const choice = is_chosen ? chosen_->choice : floor_.choose(worker_.routing(), worker_.samples(), read_rules(), now, patience());
    chosen_.reset();
    auto& counts = view_->routes;
    if (choice.must_wait) {
        if (!has_waited) ++counts.waits;
        await_news(Awaits::read);
        return choice;
    }
    worker_.samples().residents().count_read(choice.server != nullptr && choice.server->is_primary);
    ++counts.reads[static_cast<std::size_t>(choice.place)];
    if (has_waited) {
        auto const waited = std::chrono::duration_cast<std::chrono::microseconds>(now - awaiting_since_);
        counts.wait_microseconds += static_cast<std::uint64_t>(waited.count());
        awaiting_since_ = {};
    }
    return choice;
}

void ClientSession::await_news(Awaits what) {
    if (awaiting_since_ == Clock::time_point()) awaiting_since_ = worker_.loop().now();
    is_awaiting_news_ = true;
    awaits_ = what;
    worker_.samples().begin_wait();
    worker_.await_news(*this);
    worker_.prober().look();
}

// Most news is for others: what is to be said is looked at again only when it can go on.
void ClientSession::take_news() {
    if (!is_awaiting_news_) return;
    if (may_go_on()) return wake();
    worker_.await_news(*this);
    worker_.prober().look();
}

bool ClientSession::may_go_on() {
    if (awaits_ == Awaits::fence) return is_fenced();
    if (awaits_ == Awaits::floor_text) return true;
    auto const now = worker_.loop().now();
    auto const choice = floor_.choose(worker_.routing(), worker_.samples(), read_rules(), now, patience());
    if (choice.must_wait) return false;
    // For the rest of this turn: choose() does not give the same answer twice.
    chosen_ = {now, worker_.routing().version, choice};
    return true;
}

void ClientSession::wake() {
    if (!is_awaiting_news_) return;
    stop_awaiting();
    event_.signal();
}

void ClientSession::stop_awaiting() {
    if (std::exchange(is_awaiting_news_, false)) worker_.samples().end_wait();
}

void ClientSession::begin_lease(Pool& pool, Lease lease, ServerEntry const* server) {
    leased_from_ = &pool;
    lease_ = lease;
    position_ = server == nullptr ? nullptr : server->position;
    if (position_) ++position_->in_use;
}

void ClientSession::end_lease() {
    leased_from_ = nullptr;
    lease_ = Lease::ordinary;
    if (position_) --position_->in_use;
    position_.reset();
}

bool ClientSession::is_reading_on_replica() const { return lease_ == Lease::read_on_replica && backend() != nullptr; }

// It is no longer one of those that may be read on. While it answers it may answer what it has been asked.
void ClientSession::lose_replica() {
    auto const* const server = worker_.routing().find(backend()->server().name);
    if (server != nullptr && server->is_usable) return;
    is_replica_lost_ = true;
    event_.signal();
}

// The read is asked again, of the primary: of what the replica said, nothing has reached the client.
void ClientSession::ask_elsewhere() {
    relay_->ask_elsewhere();
    auto* const attached = backend();
    auto& pool = *leased_from_;
    if (!attached->is_open() && position_) position_->avoid_until(worker_.loop().now() + avoidance);
    relay_->detach();
    attached->session = nullptr;
    end_lease();
    ++view_->routes.asked_again;
    if (attached->is_clean() && attached->cancels_under_way == 0) pool.group().give_back(*attached, pool);
    else pool.discard(*attached);
}

bool ClientSession::may_be_unflushed() const {
    auto const* const primary = worker_.routing().primary();
    return may_commit_without_flush_ || worker_.samples().has_unflushed_commits() || state_.is_pinned() || primary == nullptr || primary->commits_without_flush;
}

void ClientSession::acknowledge(sql::Touched const& written) { worker_.acknowledged().note(written, std::hash<std::string>{}(database_), may_be_unflushed()); }

void ClientSession::ended_on_primary(sql::Touched const* written, bool read_there) {
    // What was sent behind it may change it again.
    if (backend()->expected.empty()) is_path_changing_ = false;
    if (written != nullptr) acknowledge(*written);
    if (!settings_->split || target_ != Target::primary) return;
    auto const& routing = worker_.routing();
    bool const may_be_late = read_rules().is_loose();
    if (written != nullptr) {
        floor_.wrote(routing, routing.has_reader ? &worker_.samples() : nullptr, may_be_late, may_be_unflushed());
        worker_.prober().look();
    } else if (!read_there) {
        floor_.was_on_primary(routing, may_be_late);
    }
}

void ClientSession::note_numbers(sql::Analysis const& analysis) {
    if (settings_->pool_mode != PoolMode::transparent) return;
    sql::Pins pins;
    for (auto const& effects : analysis.statements) pins |= effects.pins;
    bool const draws = pins.contains(sql::Pin::drawn_number);
    bool const asks = pins.contains(sql::Pin::sequence);
    if (!draws && !asks) return;
    if (draws) backend()->drawn_by = id_;
    numbers_.runs(analysis.fingerprint | 1, draws, asks, backend()->id, view_->numbers, worker_.loop().now());
}

void ClientSession::placed(sql::Analysis const* analysis, std::string_view text) {
    if (worker_.settings().check_sharing) backend()->note_for_check(text);
    auto const reason = analysis == nullptr ? sql::Reason::too_long : sql::with_hint(analysis->verdict, sql::hint_of(*analysis, text)).reason;
    ++view_->routes.statements[static_cast<std::size_t>(reason)];
    if (analysis == nullptr) return;
    if (!analysis->verdict.may_read && sql::names_termination(*analysis, text)) worker_.note_termination();
    note_numbers(*analysis);
    for (auto const& effects : analysis->statements) {
        is_path_changing_ = is_path_changing_ || changes_path(effects);
        if (effects.verb == sql::Verb::ddl && !effects.name.empty() && !effects.names_statement) worker_.clear(effects.name);
        for (auto const& change : effects.settings) {
            if (change.name != "synchronous_commit") continue;
            may_commit_without_flush_ = true;
            worker_.samples().note_unflushed_commits();
        }
    }
}

}  // namespace pgtandem::proxy
