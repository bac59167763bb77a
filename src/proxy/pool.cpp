#include "proxy/pool.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/text.hpp"
#include "proxy/client_session.hpp"
#include "proxy/read_rules.hpp"
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
// A session elsewhere that needs room asks again before that.
constexpr auto debt_holds = 2 * retry_interval;
// How long the queue waits for a server that refuses connections before those who wait are told.
constexpr auto patience_with_server = std::chrono::seconds(5);

// A server that cannot be reached or is starting may be there in a moment; every other refusal is an answer.
bool may_pass(wire::ErrorFields const& why) {
    return why.sqlstate == "57P03" || why.sqlstate == "53300" || why.sqlstate.starts_with("08") || why.sqlstate == "57P01" ||
           why.sqlstate == "57P02";
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

Pool::Pool(Worker& worker, PoolGroup& group, PoolKey key) : Line(group.room()), worker_(worker), group_(group), key_(std::move(key)) {}

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

Backend* Pool::take_idle(ClientSession const& session, Clock::time_point waiting_since) {
    if (is_paused) return nullptr;
    auto const best = session.is_logging_in() ? best_for_login(session, waiting_since) : best_for(session, waiting_since);
    if (best == idle_.end()) return nullptr;
    auto* const backend = *best;
    idle_.erase(best);
    backend->kept = {};
    return backend;
}

Backend* Pool::take_kept(ClientSession const& session) {
    auto const now = worker_.loop().now();
    auto const found = std::ranges::find_if(idle_, [&](auto const* backend) { return session.has_drawn_on(*backend) && now < backend->kept.until; });
    return found == idle_.end() || !fits(**found, session, now) ? nullptr : take_idle(session, now);
}

// Who logs in is told of a process that is nobody else's, and was nobody's for as long as can be: those who knew its former
// client may still mean that one by its number.
Pool::IdlePlace Pool::best_for_login(ClientSession const& session, Clock::time_point waiting_since) {
    auto best = idle_.end();
    std::size_t left = 0;
    for (auto place = idle_.begin(); place != idle_.end(); ++place) {
        auto const& backend = **place;
        if (backend.homes > 0 || !fits(backend, session, waiting_since)) continue;
        if (backend.left_at == Clock::time_point()) return place;
        ++left;
        if (best == idle_.end() || backend.left_at < (*best)->left_at) best = place;
    }
    bool const may_spare = !worker_.has_siblings() && worker_.loop().now() >= no_spares_before_ && left < most_left;
    if ((left == 0 || may_spare) && may_open()) return idle_.end();
    return best != idle_.end() ? best : best_for(session, waiting_since);
}

Pool::IdlePlace Pool::best_for(ClientSession const& session, Clock::time_point waiting_since) {
    // The one that keeps its numbers, else the one the client was told of, else one that keeps nothing for anybody else, rather one
    // whose plans need not go; of those the one used last: its memory is warm.
    auto const rank = [&](Backend const& backend) {
        if (session.has_drawn_on(backend)) return 5;
        bool const keeps_plans = (backend.planned_by ? backend.planned_by : backend.settings) == session.settings();
        if (backend.id == session.home()) return keeps_plans ? 4 : 2;
        if (backend.homes > 0 || backend.drawn_by != 0) return 0;
        return keeps_plans ? 3 : 1;
    };
    int const highest = session.has_drawn() ? 5 : 4;
    int best_rank = -1;
    auto best = idle_.rend();
    for (auto place = idle_.rbegin(); place != idle_.rend() && best_rank < highest; ++place) {
        auto const& backend = **place;
        if (!fits(backend, session, waiting_since)) continue;
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

bool Pool::fits(Backend const& backend, ClientSession const& session, Clock::time_point waiting_since) const {
    if (!session.has_drawn_on(backend) && !backend.kept.may_go(worker_.loop().now(), waiting_since)) {
        worker_.look_again_at(backend.kept.until);
        return false;
    }
    auto const* const server = is_for_all_replicas() ? worker_.routing().find(backend.server().name) : nullptr;
    if (server != nullptr && !may_read_on(*server)) return false;
    return std::ranges::all_of(backend.custom_settings, [&](auto const& name) { return session.has_custom_setting(name); });
}

// By the same rules as reads that are shared, but for the primary's being there.
bool Pool::may_read_on(ServerEntry const& server) const {
    auto const& settings = worker_.settings();
    ReadRules const rules{settings.consistency, settings.max_lag, &settings.weights, true, false};
    return rules.can_use(worker_.routing(), server, worker_.loop().now());
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
        if (!may_read_on(server)) continue;
        auto const count = std::ranges::count_if(backends_, [&](auto const& backend) { return backend->server().name == server.name; });
        if (best == nullptr || count < fewest) {
            best = &server;
            fewest = count;
        }
    }
    return best;
}

bool Pool::may_open() const {
    if (group_.room().is_full() || worker_.loop().now() < not_before_) return false;
    auto const* const server = choose_server();
    return server != nullptr && !worker_.room_of(*server).is_full();
}

Room* Pool::server_to_open() {
    if (is_paused) return nullptr;
    if (worker_.loop().now() < not_before_) {
        worker_.look_again_at(not_before_);
        return nullptr;
    }
    if (auto const* const server = choose_server()) return &worker_.room_of(*server);
    attempt_failed(make_error("FATAL", "57P03", key_.target == Target::primary ? "there is no primary at present"
                                                                               : "there is no replica that can take reads at present"));
    return nullptr;
}

void Pool::open() {
    auto const& server = *choose_server();
    ++opening_;
    backends_.push_back(std::make_unique<Backend>(worker_.loop(), *this, worker_.next_backend_id(), server, login_,
                                                  worker_.settings().connect_timeout));
    occupy(worker_.room_of(server));
}

std::uint64_t Pool::take_free(std::uint64_t session, Clock::time_point since) {
    auto const* const waiting = worker_.find_session(session);
    auto* const backend = waiting != nullptr ? take_idle(*waiting, since) : nullptr;
    return backend != nullptr ? backend->id : 0;
}

void Pool::give(std::uint64_t session, std::uint64_t backend) { worker_.find_session(session)->given(*find(backend)); }

std::vector<FreeBackend> Pool::free_backends() const {
    std::vector<FreeBackend> free;
    for (auto const* const backend : idle_) {
        free.push_back({backend->id, backend->made_at, backend->used_at, &worker_.room_of(backend->server()), backend->kept});
    }
    return free;
}

bool Pool::is_stranger_to(Line const& other) const { return key_.database != static_cast<Pool const&>(other).key_.database; }

void Pool::look_again_at(Clock::time_point when) { worker_.look_again_at(when); }

void Pool::logged_in(Backend& backend) {
    full_since_.reset();
    // A session that is served by several servers is not to be told which of them it is.
    if (!key_.server.empty() && !value_of(backend.reported, "in_hot_standby").empty()) {
        backend.reported = worker_.reported_registry().with(backend.reported, "in_hot_standby", "off");
    }
    auto notices = std::exchange(backend.first_notices, {});
    if (!first_reported_) {
        first_reported_ = backend.reported;
        first_notices_ = std::move(notices);
    }
    if (!key_.identity.empty() && !backend.is_retired) return backend.ask_first_path();
    --opening_;
    backend.is_new = false;
    if (backend.is_retired) return discard(backend);
    put_idle(backend);
    worker_.serve_later(group_);
}

// The database or the role that the pool's sessions have logged in to is no more, and another one has its name. By the server
// they could not have reached it: a session keeps what it has. A replica may only not have got so far.
void Pool::is_another_ones(Backend& backend) {
    auto const now = worker_.loop().now();
    if (key_.target == Target::primary) {
        worker_.end_sessions([&](ClientSession const& session) { return session.is_on(*this) && session.backend() == nullptr; },
                             make_error("FATAL", "57P01", "terminating connection due to administrator command"));
    } else if (!key_.server.empty()) {
        give_reads_back(now, make_error("FATAL", "57P03", "the replica has another database or role of that name"));
    }
    not_before_ = now + retry_interval;
    worker_.look_again_at(not_before_);
    discard(backend);
}

void Pool::lost(Backend& backend, wire::ErrorFields why) {
    bool const was_opening = backend.is_new;
    // Where a client names a process, it means the session that was told of it.
    bool const is_terminated = why.sqlstate == "57P01" && backend.homes > 0 && worker_.are_clients_terminating();
    if (is_terminated) worker_.end_sessions([&](ClientSession const& session) { return session.home() == backend.id; }, why);
    // DROP DATABASE (FORCE) ends the sessions of all clients that are there, whether they have a backend or not.
    bool const is_dropped = why.sqlstate == "3D000" || (why.sqlstate == "57P01" && worker_.is_cleared(key_.database));
    if (is_dropped) worker_.database_is_gone(key_.database);
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
    if (why.sqlstate == "53300") return server_is_full(why);
    group_.refuse_waiters(*this, now - patience_with_server, why);
}

// What is full may be full of ours: a backend that no session uses is ended, here or on another thread, and the server is asked again.
void Pool::server_is_full(wire::ErrorFields const& why) {
    // Where other backends of this pool still work, a full server is one to wait for.
    auto const* const server = choose_server();
    if (!backends_.empty() || !waiting_since() || server == nullptr) return;
    RoomWanted wanted{server->name, {}, {}, *waiting_since()};
    if (why.routine == "InitializeSessionUserId") wanted.user = key_.user;
    else if (why.routine == "CheckMyDatabase") wanted.database = key_.database;
    auto const now = worker_.loop().now();
    // The limit of a role or a database is full of what the clients of this endpoint do; all of a server may be full of anything.
    bool const is_worth_waiting = wanted.user || wanted.database || now < full_since_.value_or(now) + patience_with_server;
    if (!full_since_) full_since_ = now;
    if (worker_.give_room(wanted, this) && is_worth_waiting) return;
    if (!worker_.has_siblings()) return group_.refuse_waiters(*this, Clock::time_point::max(), why);
    worker_.ask_others_for_room(wanted, *this, [why, is_worth_waiting](Pool& pool, bool has_any) {
        bool const may_come = (has_any && is_worth_waiting) || !pool.backends_.empty();
        if (!may_come) pool.group_.refuse_waiters(pool, Clock::time_point::max(), why);
    });
}

bool Pool::has_backend_on(std::string const& server) const {
    return std::ranges::any_of(backends_, [&](auto const& backend) { return backend->server().name == server; });
}

bool Pool::discard_for(RoomWanted const& wanted) {
    auto const now = worker_.loop().now();
    for (auto* const backend : idle_) {
        bool const may_go = backend->kept.may_go(now, wanted.since) && gives_way({backend->made_at, waiting_since()}, {wanted.since, false}, now);
        if (backend->server().name != wanted.server || !may_go) continue;
        discard(*backend);
        return true;
    }
    return false;
}

void Pool::owe_room(RoomWanted const& wanted) { owed_ = {wanted.since, worker_.loop().now() + debt_holds}; }

// The room is for the other one: it is not taken again at once.
bool Pool::pays_room(Backend const& backend) {
    auto const now = worker_.loop().now();
    if (!owed_ || now >= owed_->until || !gives_way({backend.made_at, waiting_since()}, {owed_->since, false}, now)) return false;
    owed_.reset();
    not_before_ = now + debt_holds;
    return true;
}

void Pool::settled(Backend& backend) {
    if (backend.is_new && must_ask_path()) first_path_.begin_asking(backend, worker_.routing());
    if (first_path_.is_asked(backend)) {
        first_path_.take(std::move(backend.first_path));
        first_idle_timeout_ = backend.first_idle_timeout;
    }
    if (std::exchange(backend.is_new, false)) {
        --opening_;
        if (!backend.identity.empty() && backend.identity != key_.identity) return is_another_ones(backend);
    }
    if (backend.sharing && !is_shared_rightly(backend)) return discard(backend);
    group_.give_back(backend, *this);
}

// What the checking mode has found of it.
bool Pool::is_shared_rightly(Backend& backend) {
    auto& sharing = *backend.sharing;
    if (!sharing.was_asked()) return true;
    auto const ran = sharing.take_statements();
    auto& stats = worker_.view_of(key_.database).stats;
    ++stats.sharing_checks;
    auto const where = fmt::format("sharing check: backend {} of {} (user {}, database {})", backend.process_id(), backend.server().name, key_.user, key_.database);
    if (!sharing.failure().empty()) log::warn("{} could not be asked: {}", where, sharing.failure());
    if (sharing.differences().empty()) return sharing.failure().empty();
    ++stats.sharing_faults;
    log::warn("{} differs: {}; it ran: {}", where, pgtandem::join(sharing.differences(), "; "), pgtandem::join(ran, " ;; "));
    return false;
}

// Reads are judged by it; of sessions on the primary, which is where all of them log in.
bool Pool::must_ask_path() const {
    bool const is_judged_by = key_.target == Target::primary && key_.server.empty();
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
    bool const is_awaited = waiting() > 0 || is_wanted_by_others();
    vacate(worker_.room_of(backend.server()));
    worker_.bury(std::move(*found));
    backends_.erase(found);
    // There is room for another one.
    if (is_awaited) worker_.serve_later(group_);
}

void Pool::tidy(Clock::time_point idle_since, Clock::time_point made_since) {
    for (auto* const backend : std::vector<Backend*>(idle_)) {
        bool const is_kept = worker_.loop().now() < backend->kept.until;
        bool const is_old = !is_kept && (backend->used_at < idle_since || backend->made_at < made_since);
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
    if (auto* const backend = pool.take_kept(session)) return backend;
    // It overtakes no session that waits already.
    if (pool.waiting() == 0 && !pool.is_wanted_by_others()) {
        if (auto* const backend = pool.take_idle(session, worker_.loop().now())) return backend;
    }
    pool.join(session.id(), worker_.loop().now());
    worker_.serve_later(*this);
    return nullptr;
}

void PoolGroup::give_back(Backend& backend, Pool& pool) {
    backend.session = nullptr;
    auto const oldest = worker_.oldest_backend_allowed();
    bool const is_old = backend.made_at < oldest && worker_.loop().now() >= backend.kept.until;
    if (!backend.is_clean() || backend.is_retired || is_old || pool.pays_room(backend)) {
        pool.discard(backend);
    } else if (backend.sharing && backend.sharing->must_check()) {
        backend.check_sharing();
    } else {
        pool.put_idle(backend);
    }
    if (pool.waiting() > 0 || pool.is_wanted_by_others()) worker_.serve_later(*this);
}

void PoolGroup::serve() {
    auto const now = worker_.loop().now();
    for (auto* const pool : std::vector<Pool*>(pools_)) pool->serve(now);
    // Room may have become free by a pool that holds none of it any more.
    room_.serve_wanting(now);
}

void PoolGroup::refuse_waiters(Pool& pool, Clock::time_point since, wire::ErrorFields const& why) {
    for (auto const id : pool.take_out_until(since)) {
        if (auto* const session = worker_.find_session(id)) session->refused(why);
    }
}

std::size_t PoolGroup::waiting() const {
    std::size_t count = 0;
    for (auto const* const pool : pools_) count += pool->waiting();
    return count;
}

bool PoolGroup::has_room_behind_queue() const {
    auto count = room_.used();
    for (auto const* const pool : pools_) count += pool->still_to_open();
    return count < room_.most();
}

void Pool::describe(WorkerSnapshot& snapshot) const {
    PoolInfo info;
    info.node = key_.target == Target::primary ? "primary" : key_.server.empty() ? "replicas" : key_.server;
    info.database = key_.database;
    info.user = key_.user;
    info.clients_waiting = waiting();
    auto const now = worker_.loop().now();
    info.longest_wait = std::chrono::duration_cast<std::chrono::microseconds>(now - waiting_since().value_or(now));
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
    if (key_.server.empty()) info.clients_idle = sessions - std::min<std::size_t>(sessions, info.clients_active + waiting());
    snapshot.pools.push_back(std::move(info));
}

}  // namespace pgtandem::proxy
