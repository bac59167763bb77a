#include "proxy/pool.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "proxy/client_session.hpp"
#include "proxy/worker.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto retry_interval = std::chrono::milliseconds(100);
// So long a server that was full is asked for no more than is needed.
constexpr auto full_interval = std::chrono::seconds(60);
// So many free backends whose clients have left are kept apart from those who log in next.
constexpr std::size_t most_left = 8;
// So long a replica gets no reads after it has refused a connection.
constexpr auto avoidance = std::chrono::seconds(1);
// A connection to it that was lost may mean that it is starting anew: so long its watch takes to see that.
constexpr auto until_it_is_seen = std::chrono::milliseconds(400);
// How long the queue waits for a server that refuses connections before those who wait are told.
constexpr auto patience_with_server = std::chrono::seconds(5);

// A server that cannot be reached or is starting may be there in a moment; every other refusal is an answer.
bool may_pass(wire::ErrorFields const& why) {
    return why.sqlstate == "57P03" || why.sqlstate == "53300" || why.sqlstate.starts_with("08") || why.sqlstate == "57P01" ||
           why.sqlstate == "57P02";
}

bool fits(Backend const& backend, ClientSession const& session) {
    return std::ranges::all_of(backend.custom_settings, [&](auto const& name) { return session.has_custom_setting(name); });
}

}  // namespace

std::string PoolKey::group_text() const {
    std::string text(target == Target::primary ? "p" : "r");
    return text.append(server).append(1, '\0').append(database).append(1, '\0').append(user);
}

std::string PoolKey::text() const {
    auto text = group_text().append(1, '\0').append(std::to_string(settings_version));
    for (auto const& [name, value] : parameters) text.append(1, '\0').append(name).append(1, '=').append(value);
    return text;
}

Pool::Pool(Worker& worker, PoolGroup& group, PoolKey key) : worker_(worker), group_(group), key_(std::move(key)) {}

Backend* Pool::find(std::uint64_t id) const {
    auto const found = std::ranges::find_if(backends_, [&](auto const& backend) { return backend->id == id; });
    return found == backends_.end() ? nullptr : found->get();
}

std::vector<Backend*> Pool::all() const {
    std::vector<Backend*> found;
    for (auto const& backend : backends_) found.push_back(backend.get());
    return found;
}

bool Pool::is_idle(Backend const& backend) const { return std::ranges::find(idle_, &backend) != idle_.end(); }

Backend* Pool::take_idle(ClientSession const& session) {
    if (is_paused) return nullptr;
    auto const best = session.is_logging_in() ? best_for_login(session) : best_for(session);
    if (best == idle_.end()) return nullptr;
    auto* const backend = *best;
    idle_.erase(best);
    return backend;
}

// Who logs in is told of a process that is nobody else's, and was nobody's for as long as can be: those who knew its former
// client may still mean that one by its number.
Pool::IdlePlace Pool::best_for_login(ClientSession const& session) {
    auto best = idle_.end();
    std::size_t left = 0;
    for (auto place = idle_.begin(); place != idle_.end(); ++place) {
        auto const& backend = **place;
        if (backend.homes > 0 || !fits(backend, session)) continue;
        if (backend.left_at == Clock::time_point()) return place;
        ++left;
        if (best == idle_.end() || backend.left_at < (*best)->left_at) best = place;
    }
    bool const may_spare = !worker_.has_siblings() && worker_.loop().now() >= no_spares_before_ && left < most_left;
    if ((left == 0 || may_spare) && may_open()) return idle_.end();
    return best != idle_.end() ? best : best_for(session);
}

Pool::IdlePlace Pool::best_for(ClientSession const& session) {
    // The one that keeps its numbers, else the one the client was told of, else one that keeps nothing for anybody else; of
    // those the one used last: its memory is warm.
    auto const rank = [&](Backend const& backend) {
        if (session.has_drawn_on(backend)) return 3;
        if (backend.id == session.home()) return 2;
        return backend.homes == 0 && backend.drawn_by == 0 ? 1 : 0;
    };
    int const highest = session.has_drawn() ? 3 : 2;
    int best_rank = -1;
    auto best = idle_.rend();
    for (auto place = idle_.rbegin(); place != idle_.rend() && best_rank < highest; ++place) {
        auto const& backend = **place;
        if (!fits(backend, session)) continue;
        auto const its_rank = rank(backend);
        if (its_rank <= best_rank) continue;
        best = place;
        best_rank = its_rank;
    }
    if (best == idle_.rend()) return idle_.end();
    // Another client's own, which that one may want in the next moment, is the last resort.
    if (best_rank == 0 && (*best)->homes > 0 && may_open()) return idle_.end();
    return std::next(best).base();
}

void Pool::put_idle(Backend& backend) {
    backend.used_at = worker_.loop().now();
    if (must_ask_path()) {
        first_path_.begin_asking(backend, worker_.routing());
        return backend.ask_first_path();
    }
    idle_.push_back(&backend);
    // What came with the last answer, and whether it is still there.
    if (!backend.stream().input().empty() || !backend.is_open()) backend.look_while_idle();
}

ServerEntry const* Pool::choose_server() const {
    auto const& routing = worker_.routing();
    if (key_.target == Target::primary) return routing.primary();
    if (!key_.server.empty()) {
        auto const* const server = routing.find(key_.server);
        return server != nullptr && routing.follows_primary(*server) ? server : nullptr;
    }
    ServerEntry const* best = nullptr;
    std::ptrdiff_t fewest = 0;
    for (auto const& server : routing.servers) {
        if (server.is_primary || !server.is_usable) continue;
        auto const count = std::ranges::count_if(backends_, [&](auto const& backend) { return backend->server().name == server.name; });
        if (best == nullptr || count < fewest) {
            best = &server;
            fewest = count;
        }
    }
    return best;
}

bool Pool::may_open() const {
    if (!group_.has_room() || worker_.loop().now() < not_before_) return false;
    auto const* const server = choose_server();
    return server != nullptr && worker_.may_connect_to(*server);
}

void Pool::open_missing() {
    while (!is_paused && still_to_open() > 0) {
        auto const now = worker_.loop().now();
        if (now < not_before_) return worker_.look_again_at(not_before_);
        auto const* const server = choose_server();
        if (server == nullptr) {
            return attempt_failed(make_error("FATAL", "57P03", key_.target == Target::primary
                                                                   ? "there is no primary at present"
                                                                   : "there is no replica that can take reads at present"));
        }
        if (!group_.has_room() && !group_.make_room(*this)) return;
        if (!worker_.may_connect_to(*server) && !worker_.make_room_for(*this)) return;
        ++opening_;
        backends_.push_back(std::make_unique<Backend>(worker_.loop(), *this, worker_.next_backend_id(), *server, login_,
                                                      worker_.settings().connect_timeout));
    }
}

void Pool::logged_in(Backend& backend) {
    --opening_;
    // A session that is served by several servers is not to be told which of them it is.
    if (!key_.server.empty() && !value_of(backend.reported, "in_hot_standby").empty()) {
        backend.reported = worker_.reported_registry().with(backend.reported, "in_hot_standby", "off");
    }
    auto notices = std::exchange(backend.first_notices, {});
    if (!first_reported_) {
        first_reported_ = backend.reported;
        first_notices_ = std::move(notices);
    }
    if (backend.is_retired) return discard(backend);
    put_idle(backend);
    worker_.serve_later(group_);
}

void Pool::lost(Backend& backend, wire::ErrorFields why) {
    bool const was_opening = !backend.is_logged_in();
    // Where a client names a process, it means the session that was told of it.
    bool const is_terminated = why.sqlstate == "57P01" && backend.homes > 0 && worker_.are_clients_terminating();
    if (is_terminated) worker_.end_sessions([&](ClientSession const& session) { return session.home() == backend.id; }, why);
    if (was_opening) --opening_;
    // Perhaps it was the server's end, and what comes after it is another life, which its watch will see.
    else if (!key_.server.empty()) backend.server().position->avoid_until(worker_.loop().now() + until_it_is_seen);
    discard(backend);
    if (was_opening) attempt_failed(why);
    worker_.serve_later(group_);
}

void Pool::attempt_failed(wire::ErrorFields const& why) {
    auto const now = worker_.loop().now();
    if (!key_.server.empty()) return give_reads_back(now, why);
    if (!may_pass(why)) return group_.refuse_waiters(*this, Clock::time_point::max(), why);
    not_before_ = now + retry_interval;
    if (why.sqlstate == "53300") no_spares_before_ = now + full_interval;
    worker_.look_again_at(not_before_);
    // Where other backends of ours still work, a full server is one to wait for.
    if (why.sqlstate == "53300" && !backends_.empty()) return;
    // What is full may be full of ours that nobody uses.
    if (why.sqlstate == "53300" && worker_.make_room_for(*this)) return;
    group_.refuse_waiters(*this, why.sqlstate == "53300" ? Clock::time_point::max() : now - patience_with_server, why);
}

void Pool::settled(Backend& backend) {
    if (first_path_.is_asked(backend)) first_path_.take(std::move(backend.first_path));
    if (backend.sharing && !is_shared_rightly(backend)) return discard(backend);
    group_.give_back(backend, *this);
}

// What the checking mode has found of it.
bool Pool::is_shared_rightly(Backend& backend) {
    auto& sharing = *backend.sharing;
    if (!sharing.was_asked()) return true;
    auto const statements = sharing.take_statements();
    auto& stats = worker_.view_of(key_.database).stats;
    ++stats.sharing_checks;
    auto const where = fmt::format("sharing check: backend {} of {} (user {}, database {})", backend.process_id(), backend.server().name, key_.user, key_.database);
    if (!sharing.failure().empty()) log::warn("{} could not be asked: {}", where, sharing.failure());
    if (sharing.differences().empty()) return sharing.failure().empty();
    ++stats.sharing_faults;
    log::warn("{} differs: {}; it ran: {}", where, join(sharing.differences(), "; "), join(statements, " ;; "));
    return false;
}

// Reads are judged by it; of sessions on the primary, which is where all of them log in.
bool Pool::must_ask_path() const {
    bool const is_judged_by = key_.target == Target::primary && key_.server.empty() && worker_.settings().split;
    return is_judged_by && first_path_.must_ask(worker_.routing());
}

FirstPath::Value const& Pool::first_path() { return first_path_.value(worker_.routing()); }

ReportedRegistry& Pool::reported_registry() { return worker_.reported_registry(); }

// There are other servers for them.
void Pool::give_reads_back(Clock::time_point now, wire::ErrorFields const& why) {
    if (auto const* const server = worker_.routing().find(key_.server)) server->position->avoid_until(now + avoidance);
    not_before_ = now + retry_interval;
    group_.refuse_waiters(*this, Clock::time_point::max(), why);
}

void Pool::discard(Backend& backend) {
    if (first_path_.is_asked(backend)) first_path_.give_up();
    std::erase(idle_, &backend);
    auto const found = std::ranges::find_if(backends_, [&](auto const& known) { return known.get() == &backend; });
    if (found == backends_.end()) return;
    worker_.bury(std::move(*found));
    backends_.erase(found);
    // There is room for another one.
    if (!group_.waiters().empty()) worker_.serve_later(group_);
}

bool Pool::discard_oldest_idle() {
    if (idle_.empty()) return false;
    discard(*idle_.front());
    return true;
}

void Pool::tidy(Clock::time_point idle_since, Clock::time_point made_since) {
    for (auto* const backend : std::vector<Backend*>(idle_)) {
        bool const is_old = backend->used_at < idle_since || backend->made_at < made_since;
        if (is_old || backend->is_retired) discard(*backend);
    }
}

void Pool::routing_changed() {
    if (idle_.empty() || !must_ask_path()) return;
    auto* const backend = idle_.back();
    idle_.pop_back();
    put_idle(*backend);
}

void Pool::retire(bool (*is_old)(Backend const&, Routing const&), Routing const& routing) {
    for (auto const& backend : backends_) {
        if (is_old(*backend, routing)) backend->is_retired = true;
    }
    tidy(Clock::time_point::min(), Clock::time_point::min());
}

Backend* PoolGroup::acquire(ClientSession& session, Pool& pool) {
    // Nobody overtakes those who wait already.
    if (waiters_.empty()) {
        if (auto* const backend = pool.take_idle(session)) return backend;
    }
    waiters_.push_back({&session, &pool, worker_.loop().now()});
    ++pool.waiting;
    worker_.serve_later(*this);
    return nullptr;
}

void PoolGroup::give_back(Backend& backend, Pool& pool) {
    backend.session = nullptr;
    auto const oldest = worker_.oldest_backend_allowed();
    if (!backend.is_clean() || backend.is_retired || backend.made_at < oldest) {
        pool.discard(backend);
    } else if (backend.sharing && backend.sharing->must_check()) {
        backend.check_sharing();
    } else {
        pool.put_idle(backend);
    }
    if (!waiters_.empty()) worker_.serve_later(*this);
}

void PoolGroup::serve() {
    auto const has_idle = [this] { return std::ranges::any_of(pools_, [](Pool const* pool) { return pool->idle_count() > 0; }); };
    for (auto place = waiters_.begin(); place != waiters_.end() && has_idle();) {
        auto const waiter = *place;
        auto* const backend = waiter.pool->take_idle(*waiter.session);
        if (backend == nullptr) {
            ++place;
            continue;
        }
        place = waiters_.erase(place);
        --waiter.pool->waiting;
        waiter.session->given(*backend);
    }
    for (auto* const pool : std::vector<Pool*>(pools_)) pool->open_missing();
}

void PoolGroup::leave_queue(ClientSession& session) {
    std::erase_if(waiters_, [&](Waiter const& waiter) {
        if (waiter.session != &session) return false;
        --waiter.pool->waiting;
        return true;
    });
}

void PoolGroup::refuse_waiters(Pool& pool, Clock::time_point since, wire::ErrorFields const& why) {
    std::vector<ClientSession*> refused;
    std::erase_if(waiters_, [&](Waiter const& waiter) {
        if (waiter.pool != &pool || waiter.since > since) return false;
        --pool.waiting;
        refused.push_back(waiter.session);
        return true;
    });
    for (auto* const session : refused) session->refused(why);
}

bool PoolGroup::has_room_behind_queue() const {
    std::size_t count = backend_count();
    for (auto const* const pool : pools_) count += pool->still_to_open();
    return count < most_;
}

std::size_t PoolGroup::backend_count() const {
    std::size_t count = 0;
    for (auto const* const pool : pools_) count += pool->backends().size();
    return count;
}

bool PoolGroup::make_room(Pool& for_pool) {
    for (auto* const pool : pools_) {
        if (pool != &for_pool && !pool->has_waiters() && pool->discard_oldest_idle()) return true;
    }
    // Free ones of its own that did not fit anybody who waits.
    return for_pool.discard_oldest_idle();
}

// The queue is in the order of coming.
std::chrono::microseconds PoolGroup::longest_wait(Pool const& pool) const {
    auto const oldest = std::ranges::find(waiters_, &pool, &Waiter::pool);
    if (oldest == waiters_.end()) return {};
    return std::chrono::duration_cast<std::chrono::microseconds>(worker_.loop().now() - oldest->since);
}

void Pool::describe(WorkerSnapshot& snapshot) const {
    PoolInfo info;
    info.node = key_.target == Target::primary ? "primary" : key_.server.empty() ? "replicas" : key_.server;
    info.database = key_.database;
    info.user = key_.user;
    info.clients_waiting = waiting;
    info.longest_wait = group_.longest_wait(*this);
    for (auto const& backend : backends_) {
        BackendInfo about;
        about.node = backend->server().name;
        about.user = key_.user;
        about.database = key_.database;
        about.address = backend->server().host;
        about.port = backend->server().port;
        about.backend_pid = backend->process_id();
        about.prepared_statements = backend->prepared.size();
        auto const* const session = backend->session;
        bool const is_pinned = session != nullptr && session->is_pinned();
        about.client_id = session != nullptr ? session->id() : 0;
        about.state = !backend->is_logged_in() ? "login" : session == nullptr ? "idle" : is_pinned ? "pinned" : "active";
        info.backends_login += backend->is_logged_in() ? 0 : 1;
        info.backends_idle += about.state == "idle" ? 1 : 0;
        info.backends_pinned += is_pinned ? 1 : 0;
        info.backends_active += about.state == "active" ? 1 : 0;
        snapshot.backends.push_back(std::move(about));
    }
    info.clients_active = info.backends_active + info.backends_pinned;
    if (key_.server.empty()) info.clients_idle = sessions - std::min<std::size_t>(sessions, info.clients_active + waiting);
    snapshot.pools.push_back(std::move(info));
}

}  // namespace pgtandem::proxy
