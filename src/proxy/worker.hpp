// One thread of the data plane: its loop, its clients, its pools, and what it has learned of statements. Everything but
// what is marked is for that thread only.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "io/loop.hpp"
#include "proxy/client_session.hpp"
#include "proxy/database_view.hpp"
#include "proxy/mailbox.hpp"
#include "proxy/newcomers.hpp"
#include "proxy/pool.hpp"
#include "proxy/prober.hpp"
#include "proxy/shared.hpp"
#include "proxy/snapshot.hpp"

namespace pgtandem::proxy {

class CancelSender;

class Worker {
public:
    // One of so many; they count from 0.
    static Result<std::unique_ptr<Worker>> make(Shared& shared, unsigned number, unsigned threads);
    ~Worker();

    // The thread's own; the listening sockets belong to the endpoint.
    void listen(int fd, Target target);
    void run();
    unsigned number() const { return number_; }
    // Since it last said that it goes on, which it does once a second. From any thread.
    Clock::duration silence() const { return Clock::now() - last_sign_.load(); }

    io::Loop& loop() { return *loop_; }
    EndpointSettings const& settings() const { return *settings_; }
    std::shared_ptr<EndpointSettings const> const& settings_ref() const { return settings_; }
    Routing const& routing() const { return *routing_; }
    std::shared_ptr<io::TlsContext const> const& tls() const { return tls_; }
    std::string const& mock_secret() const { return shared_.mock_secret; }
    ReportedRegistry& reported_registry() { return reported_; }
    MemoryUse& memory() { return memory_; }
    ConsoleRunner& console() { return shared_.console; }

    // From any thread, by loop().post().
    void take_routing();
    void take_settings();
    void stop_listening() { listeners_.clear(); }
    void end_sessions(std::function<bool(ClientSession const&)> const& which, wire::ErrorFields const& why);
    void end_sessions_in(std::string const& database);
    void pause(std::string const& database, bool is_paused);
    bool is_quiet(std::string const& database) const;
    void reconnect(std::string const& database);
    // All but the clients, which may be thousands: they are asked for by their ids, some at a time.
    WorkerSnapshot snapshot() const;
    std::vector<std::uint64_t> client_ids() const;
    std::vector<ClientInfo> clients(std::span<std::uint64_t const> ids) const;
    std::size_t session_count() const { return sessions_.size(); }
    ClientSession* find_session(std::uint64_t id) const;

    // Sessions that wait until it is known where they may read: told of news.
    Samples& samples() { return samples_; }
    Acknowledged& acknowledged() { return shared_.acknowledged; }
    Prober& prober() { return prober_; }
    void await_news(ClientSession const& session) { awaiting_news_.push_back(session.id()); }
    void tell_news();

    // Clients (worker_clients.cpp).
    void accept(UniqueFd connected, Target target);
    void bury(ClientSession& session);
    void ask_login_desk(LoginQuestion const& question, ClientSession& session, std::function<void(Result<LoginFacts>)> answer);
    void forget_question(ClientSession const& session) {
        if (questions_.erase(session.id()) > 0) shared_.desk.forget(session.id());
    }
    // Among the clients of its role and database, until unregister().
    void count(ClientSession& session);
    std::pair<std::size_t, std::size_t> client_counts(std::string const& user, std::string const& database) const;
    void register_for_cancel(ClientSession& session, std::uint16_t minor_version, Backend const* backend,
                             std::uint32_t& process_id, std::string& key);
    void unregister(ClientSession& session);
    // 'delivered' is called as long as 'requester' is there, once the server has taken the request, or there is nothing to cancel.
    void cancel(std::uint32_t process_id, std::string const& key, ClientSession& requester, std::function<void()> delivered);
    void cancel_session(std::uint64_t id, std::function<void()> delivered);
    void cancel_on_server(Backend& backend, Pool& pool, std::function<void()> delivered = {});
    void cancel_was_sent(Pool& pool, std::uint64_t backend_id);
    void ask_console(std::string text, ConsoleRight right, ClientSession& session, ConsoleRunner::Answer answer);

    // Pools (worker.cpp).
    Pool& pool_for(PoolKey key);
    // Where the sessions of 'primary' read on a replica.
    Pool& reader_of(Pool& primary, ServerEntry const& server);
    std::unique_ptr<Pool> make_own_pool(PoolKey key);
    bool should_begin_with_a_backend(Pool const& pool) const;
    // Of the backends on it.
    Room& room_of(ServerEntry const& server);
    // Others have free backends of the same users, which this one cannot close where a server is full.
    bool has_siblings() const { return threads_ > 1; }
    // Gives up a backend for a session of another pool, or of another thread; where none is free, the next one that becomes free.
    // False: there is none that counts against that limit.
    bool give_room(RoomWanted const& wanted, Pool const* but);
    // 'answer' is called later, unless the pool is no more.
    void ask_others_for_room(RoomWanted const& wanted, Pool const& pool, std::function<void(Pool&, bool)> answer);
    std::uint64_t next_backend_id() { return ++last_backend_id_; }
    Clock::time_point oldest_backend_allowed() const;
    void serve_later(PoolGroup& group);
    void look_again_at(Clock::time_point when);
    void bury(std::unique_ptr<Backend> backend);
    void bury(std::unique_ptr<Pool> pool);

    // Databases (worker_clients.cpp). A view stays as long as the worker.
    DatabaseView& view_of(std::string const& database);
    void refresh_facts(std::string const& database, ClientSession& session, std::function<void(bool)> ready);
    void catalog_changed(std::string const& database);
    void clear(std::string const& database) { shared_.clear(database); }
    bool is_cleared(std::string const& database) const { return shared_.clearings.is_under_way(database); }
    void database_is_gone(std::string const& database);
    // A client calls pg_terminate_backend(), or did so a moment ago.
    void note_termination() { shared_.terminated_at = Clock::now(); }
    bool are_clients_terminating() const { return Clock::now() - shared_.terminated_at.load() < termination_patience; }

private:
    static constexpr auto termination_patience = std::chrono::seconds(2);

    Worker(Shared& shared, std::unique_ptr<io::Loop> loop, unsigned number, unsigned threads);
    std::unique_ptr<PoolGroup>& group_for(PoolKey const& key);
    void serve_pending();
    void tick();
    void make_place_for_a_newcomer();
    void empty_grave();
    void for_pools_of(std::string const& database, std::function<void(Pool&)> const& work) const;
    // The shares of all workers are the whole, unless it is less than one for each.
    std::size_t share(std::size_t of_all) const { return std::max<std::size_t>(1, of_all / threads_ + (number_ < of_all % threads_ ? 1 : 0)); }

    Shared& shared_;
    MemoryUse memory_;  // outlives what is counted in it
    std::unique_ptr<io::Loop> loop_;
    std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(*loop_);
    unsigned number_;
    unsigned threads_;
    std::shared_ptr<EndpointSettings const> settings_;
    std::shared_ptr<Routing const> routing_;
    std::shared_ptr<io::TlsContext const> tls_;
    ReportedRegistry reported_;
    std::uint64_t fingerprint_seed_;
    std::unordered_map<std::string, std::unique_ptr<DatabaseView>> views_;
    StatementJudge judge_;

    std::vector<std::unique_ptr<io::Listener>> listeners_;
    std::unordered_map<std::uint64_t, std::unique_ptr<ClientSession>> sessions_;
    Newcomers newcomers_;
    std::atomic<Clock::time_point> last_sign_{Clock::now()};
    std::unordered_map<std::uint64_t, std::function<void(Result<LoginFacts>)>> questions_;
    std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;  // by the server's name
    std::unordered_map<std::string, std::unique_ptr<PoolGroup>> groups_;
    std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;
    bool are_paused_ = false;                     // all databases
    std::unordered_set<std::string> exceptions_;  // but these, or these alone
    std::vector<std::unique_ptr<CancelSender>> cancel_senders_;

    Samples samples_;
    Prober prober_;
    std::vector<std::uint64_t> awaiting_news_;
    std::vector<PoolGroup*> groups_to_serve_;
    bool serves_later_ = false;
    std::unique_ptr<io::Timer> retry_timer_;
    std::unique_ptr<io::Timer> tick_timer_;
    std::vector<std::unique_ptr<Backend>> dead_backends_;
    std::vector<std::unique_ptr<Pool>> dead_pools_;
    std::vector<std::unique_ptr<PoolGroup>> own_groups_;
    std::vector<std::unique_ptr<ClientSession>> dead_sessions_;
    bool has_dead_ = false;
    std::uint64_t last_backend_id_ = 0;
    static std::atomic<std::uint64_t> last_session_id;
};

}  // namespace pgtandem::proxy
