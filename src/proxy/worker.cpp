#include "proxy/worker.hpp"

#include <algorithm>
#include <cstring>

#include "base/random.hpp"
#include "proxy/cancel_sender.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto tick_interval = std::chrono::seconds(1);

// Nobody who does not know it can make two statements meet in the cache.
std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    std::memcpy(&seed, random_bytes(sizeof seed).data(), sizeof seed);
    return seed;
}

bool is_of(std::string const& wanted, std::string const& database) { return wanted.empty() || wanted == database; }

// A backend on a server that no longer is what its pool is for.
bool is_on_former_primary(Backend const& backend, Routing const& routing) {
    auto const* const primary = routing.primary();
    auto const& server = backend.server();
    return primary != nullptr && (server.name != primary->name || server.host != primary->host || server.port != primary->port);
}

bool is_on_lost_replica(Backend const& backend, Routing const& routing) {
    auto const* const server = routing.find(backend.server().name);
    return server == nullptr || !routing.agrees_with_primary(*server);
}

bool does_not_follow(Backend const& backend, Routing const& routing) {
    auto const* const server = routing.find(backend.server().name);
    return server == nullptr || !routing.follows_primary(*server);
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(Shared& shared, unsigned number, unsigned threads) {
    PGTANDEM_TRY(loop, io::Loop::make(shared.settings()->io));
    return std::unique_ptr<Worker>(new Worker(shared, std::move(loop), number, threads));
}

Worker::Worker(Shared& shared, std::unique_ptr<io::Loop> loop, unsigned number, unsigned threads)
    : shared_(shared),
      loop_(std::move(loop)),
      number_(number),
      threads_(threads),
      settings_(shared.settings()),
      routing_(shared.routing.current()),
      tls_(shared.tls()),
      fingerprint_seed_(random_seed()),
      judge_(*loop_),
      samples_(shared.unflushed_commits),
      prober_(*loop_, reported_, samples_, shared.acknowledged, [this] { tell_news(); }),
      retry_timer_(loop_->make_timer([this] {
          for (auto const& [key, group] : groups_) serve_later(*group);
          for (auto const& group : own_groups_) serve_later(*group);
      })),
      tick_timer_(loop_->make_timer([this] { tick(); })) {
    prober_.take_routing(routing_);
}

Worker::~Worker() {
    mailbox_->close();
    // Sessions give their backends back; nothing is served any more.
    for (auto const& [id, session] : sessions_) session->abandon();
    sessions_.clear();
    dead_sessions_.clear();
}

void Worker::listen(int fd, Target target) {
    listeners_.push_back(loop_->listen(fd, [this, target](UniqueFd connected) { accept(std::move(connected), target); }));
}

void Worker::run() {
    last_sign_ = Clock::now();
    tick_timer_->start(tick_interval);
    loop_->run();
}

void Worker::tick() {
    auto const now = loop_->now();
    last_sign_ = now;
    auto const idle = settings_->server_idle_timeout;
    auto const idle_since = idle.count() > 0 ? now - idle : Clock::time_point::min();
    for (auto const& [key, pool] : pools_) pool->tidy(idle_since, oldest_backend_allowed());
    std::erase_if(pools_, [](auto const& entry) {
        if (!entry.second->is_unused()) return false;
        for (auto const& [id, reader] : entry.second->readers) --reader->sessions;
        entry.second->group().remove(*entry.second);
        return true;
    });
    std::erase_if(groups_, [this](auto const& entry) {
        return entry.second->is_unused() && !entry.second->is_to_be_served;
    });
    if (shared_.former_serves && !shared_.former_serves()) shared_.acknowledged.set_other(Acknowledged::Other::former, false);
    prober_.tidy();
    tell_news();
    tick_timer_->start(tick_interval);
}

Clock::time_point Worker::oldest_backend_allowed() const {
    auto const lifetime = settings_->server_lifetime;
    return lifetime.count() > 0 ? loop_->now() - lifetime : Clock::time_point::min();
}

std::unique_ptr<PoolGroup>& Worker::group_for(PoolKey const& key) {
    auto& group = groups_[key.group_text()];
    if (!group) group = std::make_unique<PoolGroup>(*this, share(settings_->pool_size));
    return group;
}

Pool& Worker::pool_for(PoolKey key) {
    auto& pool = pools_[key.text()];
    if (pool) return *pool;
    auto& group = *group_for(key);
    pool = std::make_unique<Pool>(*this, group, std::move(key));
    pool->is_paused = are_paused_ != exceptions_.contains(pool->key().database);
    group.add(*pool);
    return *pool;
}

Pool& Worker::reader_of(Pool& primary, ServerEntry const& server) {
    auto const id = server.position->id();
    auto const known = std::ranges::find(primary.readers, id, &std::pair<std::uint64_t, Pool*>::first);
    auto* reader = known != primary.readers.end() ? known->second : nullptr;
    if (reader == nullptr) {
        auto key = primary.key();
        key.target = Target::replicas;
        key.server = server.name;
        reader = &pool_for(std::move(key));
        // In another life of the server.
        auto const former = std::ranges::find(primary.readers, reader, &std::pair<std::uint64_t, Pool*>::second);
        if (former != primary.readers.end()) {
            former->first = id;
        } else {
            ++reader->sessions;
            primary.readers.emplace_back(id, reader);
        }
    }
    if (reader->login() != primary.login()) reader->set_login(primary.login());
    return *reader;
}

void Worker::tell_news() {
    for (auto const id : std::exchange(awaiting_news_, {})) {
        if (auto const found = sessions_.find(id); found != sessions_.end()) found->second->take_news();
    }
}

std::unique_ptr<Pool> Worker::make_own_pool(PoolKey key) {
    own_groups_.push_back(std::make_unique<PoolGroup>(*this, 1));
    auto& group = *own_groups_.back();
    auto pool = std::make_unique<Pool>(*this, group, std::move(key));
    group.add(*pool);
    return pool;
}

// The first clients of a pool get a backend each, so that what they are told of theirs is so.
bool Worker::should_begin_with_a_backend(Pool const& pool) const {
    auto const& group = const_cast<Pool&>(pool).group();
    if (group.has_room_behind_queue()) return true;
    bool const has_homeless = std::ranges::any_of(pool.backends(), [](auto const& backend) {
        return backend->homes == 0 && backend->session == nullptr && backend->is_logged_in();
    });
    return has_homeless && group.waiting() == 0;
}

Room& Worker::room_of(ServerEntry const& server) {
    auto& room = rooms_[server.name];
    if (!room) room = std::make_unique<Room>(share(std::min(settings_->server_connections, shared_.most_backends)));
    return *room;
}

bool Worker::give_room(RoomWanted const& wanted, Pool const* but) {
    bool has_any = false;
    Pool* busy = nullptr;
    for (auto const& [key, pool] : pools_) {
        bool const counts = (!wanted.user || *wanted.user == pool->key().user) && (!wanted.database || *wanted.database == pool->key().database);
        if (pool.get() == but || !counts || !pool->has_backend_on(wanted.server)) continue;
        has_any = true;
        if (pool->discard_for(wanted)) return true;
        busy = pool.get();
    }
    if (busy != nullptr) busy->owe_room(wanted);
    return has_any;
}

void Worker::ask_others_for_room(RoomWanted const& wanted, Pool const& pool, std::function<void(Pool&, bool)> answer) {
    shared_.ask_for_room(*this, wanted, [this, key = pool.key().text(), answer = std::move(answer)](bool has_any) {
        if (auto const found = pools_.find(key); found != pools_.end()) answer(*found->second, has_any);
    });
}

void Worker::serve_later(PoolGroup& group) {
    if (!std::exchange(group.is_to_be_served, true)) groups_to_serve_.push_back(&group);
    if (std::exchange(serves_later_, true)) return;
    loop_->defer([this] { serve_pending(); });
}

void Worker::serve_pending() {
    serves_later_ = false;
    for (auto* const group : std::exchange(groups_to_serve_, {})) {
        group->is_to_be_served = false;
        group->serve();
    }
    for (auto const& [server, room] : rooms_) room->serve_wanting(loop_->now());
}

void Worker::look_again_at(Clock::time_point when) {
    if (!retry_timer_->is_running()) retry_timer_->start(std::max<Clock::duration>(when - loop_->now(), std::chrono::milliseconds(1)));
}

void Worker::bury(std::unique_ptr<Backend> backend) {
    dead_backends_.push_back(std::move(backend));
    empty_grave();
}

void Worker::bury(std::unique_ptr<Pool> pool) {
    pool->group().remove(*pool);
    for (auto const& backend : std::vector<Backend*>(pool->all())) pool->discard(*backend);
    dead_pools_.push_back(std::move(pool));
    empty_grave();
}

// What has ended is destroyed when nobody is in it any more: after this turn's events.
void Worker::empty_grave() {
    if (std::exchange(has_dead_, true)) return;
    loop_->post([this] {
        has_dead_ = false;
        dead_sessions_.clear();
        dead_backends_.clear();
        auto const pools = std::exchange(dead_pools_, {});
        std::erase_if(own_groups_, [this](auto const& group) {
            if (!group->is_unused()) return false;
            std::erase(groups_to_serve_, group.get());
            return true;
        });
        std::erase_if(cancel_senders_, [](auto const& sender) { return sender->is_done(); });
    });
}

void Worker::take_routing() {
    routing_ = shared_.routing.current();
    prober_.take_routing(routing_);
    for (auto const& [text, pool] : pools_) {
        auto const& key = pool->key();
        bool const is_for_primary = key.target == Target::primary;
        pool->retire(is_for_primary ? is_on_former_primary : key.server.empty() ? is_on_lost_replica : does_not_follow, *routing_);
        pool->routing_changed();
        serve_later(pool->group());
    }
    // A replica that answers no more will not answer what it has been asked.
    for (auto const& [id, session] : sessions_) {
        auto const* const backend = session->backend();
        if (backend != nullptr && backend->is_retired && session->is_reading_on_replica()) session->lose_replica();
    }
    tell_news();
    // Its transaction may end; a session that is tied to the former primary for longer cannot go on.
    end_sessions(
        [](ClientSession const& session) {
            auto const* const backend = session.backend();
            return backend != nullptr && backend->is_retired && session.is_pinned();
        },
        make_error("FATAL", "57P01", "terminating connection: the server that held this session's state is no longer the one to use"));
}

void Worker::take_settings() {
    settings_ = shared_.settings();
    tls_ = shared_.tls();
    // They hold verdicts only where reads are shared.
    for (auto const& [database, view] : views_) view->forget_statements();
    for (auto const& [server, room] : rooms_) room->set_most(share(std::min(settings_->server_connections, shared_.most_backends)));
    for (auto const& [key, group] : groups_) {
        group->set_most(share(settings_->pool_size));
        serve_later(*group);
    }
}

void Worker::end_sessions(std::function<bool(ClientSession const&)> const& which, wire::ErrorFields const& why) {
    std::vector<ClientSession*> found;
    for (auto const& [id, session] : sessions_) {
        if (which(*session)) found.push_back(session.get());
    }
    for (auto* const session : found) session->end(why);
}

// As by the server that drops it; a client that is logging in is told that it is not there.
void Worker::end_sessions_in(std::string const& database) {
    end_sessions([&](ClientSession const& session) { return session.database() == database && !session.is_logging_in(); },
                 make_error("FATAL", "57P01", "terminating connection due to administrator command"));
}

void Worker::for_pools_of(std::string const& database, std::function<void(Pool&)> const& work) const {
    for (auto const& [key, pool] : pools_) {
        if (is_of(database, pool->key().database)) work(*pool);
    }
}

void Worker::pause(std::string const& database, bool is_paused) {
    if (database.empty()) {
        are_paused_ = is_paused;
        exceptions_.clear();
    } else if (is_paused == are_paused_) {
        exceptions_.erase(database);
    } else {
        exceptions_.insert(database);
    }
    for_pools_of(database, [&](Pool& pool) {
        pool.is_paused = is_paused;
        if (!is_paused) serve_later(pool.group());
    });
}

bool Worker::is_quiet(std::string const& database) const {
    bool quiet = true;
    for_pools_of(database, [&](Pool& pool) {
        for (auto const& backend : pool.backends()) quiet = quiet && backend->session == nullptr;
    });
    return quiet;
}

void Worker::reconnect(std::string const& database) {
    for_pools_of(database, [&](Pool& pool) {
        pool.retire([](Backend const&, Routing const&) { return true; }, *routing_);
        serve_later(pool.group());
    });
}

}  // namespace pgtandem::proxy
