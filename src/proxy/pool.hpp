// Backends that may serve each other's sessions: of one database and user, begun with the same parameters; and the group of
// such pools that one limit and one queue hold for.
#pragma once
#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "proxy/backend.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/first_path.hpp"
#include "proxy/routing.hpp"
#include "proxy/snapshot.hpp"

namespace pgtandem::proxy {

class PoolGroup;
class Pool;
class Worker;

enum class Target : std::uint8_t { primary, replicas };

struct PoolKey {
    Target target;
    std::string server;  // for reads that are chosen one by one: the replica's name; "" otherwise
    std::string database;
    std::string user;
    std::vector<std::pair<std::string, std::string>> parameters;  // of the startup message, sorted, but for user and database
    std::uint64_t settings_version = 0;                           // LoginFacts'

    std::string group_text() const;
    std::string text() const;
};

// A session in the queue. Told by ClientSession::given() or ClientSession::refused().
struct Waiter {
    ClientSession* session;
    Pool* pool;
    Clock::time_point since;
};

class Pool final : public BackendKeeper {
public:
    Pool(Worker& worker, PoolGroup& group, PoolKey key);

    PoolKey const& key() const { return key_; }
    PoolGroup& group() { return group_; }
    // The newest login of a client is the one new backends use.
    void set_login(std::shared_ptr<ServerLogin const> login) { login_ = std::move(login); }
    std::shared_ptr<ServerLogin const> const& login() const { return login_; }
    // What a new session starts with, once a backend has told it; null before.
    ReportedRef const& first_reported() const { return first_reported_; }
    // Told by the same one.
    std::vector<wire::ErrorFields> const& first_notices() const { return first_notices_; }
    // The search_path that its sessions begin with, on whichever server; null where it is not known.
    FirstPath::Value const& first_path();
    std::vector<std::unique_ptr<Backend>> const& backends() const { return backends_; }
    Backend* find(std::uint64_t id) const;
    std::vector<Backend*> all() const;
    bool is_idle(Backend const& backend) const;
    std::size_t idle_count() const { return idle_.size(); }
    Clock::time_point oldest_idle_use() const { return idle_.front()->used_at; }
    void describe(WorkerSnapshot& snapshot) const;
    bool has_waiters() const { return waiting > 0; }
    bool is_unused() const { return backends_.empty() && sessions == 0 && waiting == 0; }
    // For those who wait: more than are on their way already.
    std::size_t still_to_open() const { return waiting - std::min(waiting, opening_ + (first_path_.is_asking() ? 1 : 0)); }

    // One that is free and fits the session, taken out of the free ones; or null: then one more is to be opened for it, where
    // there is room.
    Backend* take_idle(ClientSession const& session);
    // Begins to open one more where the limits allow it and one is missing for those who wait.
    void open_missing();
    void put_idle(Backend& backend);
    // Ends it; its memory goes at the end of the turn.
    void discard(Backend& backend);
    bool discard_oldest_idle();
    // Ends what is free and is retired, unsuitable or old; for routing changes, RECONNECT and timeouts.
    void tidy(Clock::time_point idle_since, Clock::time_point made_since);
    // There may be something to ask a backend again.
    void routing_changed();
    void retire(bool (*is_old)(Backend const&, Routing const&), Routing const& routing);

    void logged_in(Backend& backend) override;
    void lost(Backend& backend, wire::ErrorFields why) override;
    void settled(Backend& backend) override;
    ReportedRegistry& reported_registry() override;

    // Of a pool of the primary: those for the reads of its sessions, by their server's ServerPosition::id().
    std::vector<std::pair<std::uint64_t, Pool*>> readers;
    std::size_t sessions = 0;  // that belong to this pool; of a reader: 1 while its primary's pool is there
    std::size_t waiting = 0;   // of them, in the queue
    bool is_paused = false;

private:
    using IdlePlace = std::vector<Backend*>::iterator;

    IdlePlace best_for_login(ClientSession const& session);
    IdlePlace best_for(ClientSession const& session);
    ServerEntry const* choose_server() const;
    bool may_open() const;
    void attempt_failed(wire::ErrorFields const& why);
    bool is_shared_rightly(Backend& backend);
    bool must_ask_path() const;
    void give_reads_back(Clock::time_point now, wire::ErrorFields const& why);

    Worker& worker_;
    PoolGroup& group_;
    PoolKey key_;
    std::shared_ptr<ServerLogin const> login_;
    ReportedRef first_reported_;
    std::vector<wire::ErrorFields> first_notices_;
    FirstPath first_path_;
    std::vector<std::unique_ptr<Backend>> backends_;
    std::vector<Backend*> idle_;  // the last one used at the end
    std::size_t opening_ = 0;
    Clock::time_point not_before_{};  // no new attempt to open one
    Clock::time_point no_spares_before_{};
};

class PoolGroup {
public:
    PoolGroup(Worker& worker, std::size_t most) : worker_(worker), most_(most) {}

    // Gives a backend at once, or takes the session into the queue and gives null.
    Backend* acquire(ClientSession& session, Pool& pool);
    // A session's use of it is over.
    void give_back(Backend& backend, Pool& pool);
    // Serves those who wait, first come first, with what there is.
    void serve();
    void leave_queue(ClientSession& session);
    // Those of 'pool' who have waited since before 'since' get the error.
    void refuse_waiters(Pool& pool, Clock::time_point since, wire::ErrorFields const& why);

    std::size_t backend_count() const;
    bool has_room() const { return backend_count() < most_; }
    // For one more session, when all in the queue have got a backend.
    bool has_room_behind_queue() const;
    // Makes room by ending a free backend of a sibling. False if none is free.
    bool make_room(Pool& for_pool);
    void set_most(std::size_t most) { most_ = most; }
    std::list<Waiter> const& waiters() const { return waiters_; }
    std::chrono::microseconds longest_wait(Pool const& pool) const;
    void add(Pool& pool) { pools_.push_back(&pool); }
    void remove(Pool& pool) { std::erase(pools_, &pool); }
    bool is_unused() const { return pools_.empty(); }

private:
    Worker& worker_;
    std::size_t most_;
    std::vector<Pool*> pools_;
    std::list<Waiter> waiters_;
};

}  // namespace pgtandem::proxy
