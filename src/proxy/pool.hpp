// Backends that may serve each other's sessions: of one database and user, begun with the same parameters; and the group of
// such pools that one limit and one queue hold for.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/backend.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/first_path.hpp"
#include "proxy/routing.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/turns.hpp"

namespace pgtandem::proxy {

class PoolGroup;
class Pool;
class Worker;
struct RoomWanted;

enum class Target : std::uint8_t { primary, replicas };

struct PoolKey {
    Target target;
    std::string server;  // for reads that are chosen one by one: the replica's name; "" otherwise
    std::string database;
    std::string user;
    std::vector<std::pair<std::string, std::string>> parameters;  // of the startup message, sorted, but for user and database
    std::uint64_t settings_version = 0;                           // LoginFacts'
    std::string identity{};  // LoginFacts'; "" where nobody compares it. Part of what settings_version stands for

    std::string group_text() const;
    std::string text() const;
};

class Pool final : public BackendKeeper, public Line {
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
    FirstPath::Value const& first_path_on_primary() const { return first_path_.told(); }
    std::chrono::milliseconds first_idle_timeout() const { return first_idle_timeout_; }
    std::vector<std::unique_ptr<Backend>> const& backends() const { return backends_; }
    Backend* find(std::uint64_t id) const;
    std::vector<Backend*> all() const;
    bool is_idle(Backend const& backend) const;
    std::size_t idle_count() const { return idle_.size(); }
    void describe(WorkerSnapshot& snapshot) const;
    bool is_unused() const { return backends_.empty() && sessions == 0 && waiting() == 0; }

    // One that is free and fits the session, taken out of the free ones; or null: then one more is to be opened for it, where
    // there is room.
    Backend* take_idle(ClientSession const& session, Clock::time_point waiting_since);
    // The one that keeps the session's numbers, if it is free. No other session may have it.
    Backend* take_kept(ClientSession const& session);
    void put_idle(Backend& backend);
    // For a session elsewhere that a limit of the server's keeps from getting one.
    bool has_backend_on(std::string const& server) const;
    bool discard_for(RoomWanted const& wanted);
    void owe_room(RoomWanted const& wanted);
    bool pays_room(Backend const& backend);
    // Ends it; its memory goes at the end of the turn.
    void discard(Backend& backend);
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
    bool is_paused = false;
    PreparedRegistry statements;  // that its sessions have prepared

private:
    using IdlePlace = std::vector<Backend*>::iterator;

    // Line
    std::uint64_t take_free(std::uint64_t session, Clock::time_point since) override;
    void give(std::uint64_t session, std::uint64_t backend) override;
    std::size_t free_count() const override { return idle_.size(); }
    std::vector<FreeBackend> free_backends() const override;
    void end_free(std::uint64_t backend) override { discard(*find(backend)); }
    std::size_t on_their_way() const override { return opening_ + (first_path_.is_asking() ? 1 : 0); }
    Room* server_to_open() override;
    void open() override;
    bool is_stranger_to(Line const& other) const override;
    void look_again_at(Clock::time_point when) override;

    IdlePlace best_for_login(ClientSession const& session, Clock::time_point waiting_since);
    IdlePlace best_for(ClientSession const& session, Clock::time_point waiting_since);
    bool fits(Backend const& backend, ClientSession const& session, Clock::time_point waiting_since) const;
    bool is_for_all_replicas() const { return key_.target == Target::replicas && key_.server.empty(); }
    bool may_read_on(ServerEntry const& server) const;
    ServerEntry const* choose_server() const;
    bool may_open() const;
    void attempt_failed(wire::ErrorFields const& why);
    void server_is_full(wire::ErrorFields const& why);
    bool is_shared_rightly(Backend& backend);
    void is_another_ones(Backend& backend);
    bool must_ask_path() const;
    void give_reads_back(Clock::time_point now, wire::ErrorFields const& why);

    Worker& worker_;
    PoolGroup& group_;
    PoolKey key_;
    std::shared_ptr<ServerLogin const> login_;
    ReportedRef first_reported_;
    std::vector<wire::ErrorFields> first_notices_;
    FirstPath first_path_;
    std::chrono::milliseconds first_idle_timeout_{0};  // of its sessions, by the server's own settings; 0: none
    std::vector<std::unique_ptr<Backend>> backends_;
    std::vector<Backend*> idle_;  // the last one used at the end
    std::size_t opening_ = 0;
    Clock::time_point not_before_{};  // no new attempt to open one
    Clock::time_point no_spares_before_{};
    std::optional<Clock::time_point> full_since_;  // the server has refused one more
    struct Owed {
        Clock::time_point since;  // the session that needs it waits
        Clock::time_point until;
    };
    std::optional<Owed> owed_{};
};

class PoolGroup {
public:
    PoolGroup(Worker& worker, std::size_t most) : worker_(worker), room_(most) {}

    // Gives a backend at once, or takes the session into the queue and gives null.
    Backend* acquire(ClientSession& session, Pool& pool);
    // A session's use of it is over.
    void give_back(Backend& backend, Pool& pool);
    // Serves those who wait with what there is.
    void serve();
    // Those of 'pool' who have waited since before 'since' get the error.
    void refuse_waiters(Pool& pool, Clock::time_point since, wire::ErrorFields const& why);

    Room& room() { return room_; }
    std::size_t waiting() const;
    // For one more session, when all in the queue have got a backend.
    bool has_room_behind_queue() const;
    void set_most(std::size_t most) { room_.set_most(most); }
    void add(Pool& pool) { pools_.push_back(&pool); }
    void remove(Pool& pool) { std::erase(pools_, &pool); }
    bool is_unused() const { return pools_.empty(); }

    bool is_to_be_served = false;  // in the worker's list of those

private:
    Worker& worker_;
    Room room_;
    std::vector<Pool*> pools_;
};

}  // namespace pgtandem::proxy
