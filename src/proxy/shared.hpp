// What all workers of one endpoint share. Thread-safe.
#pragma once
#include <atomic>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "io/tls.hpp"
#include "proxy/acknowledged.hpp"
#include "proxy/catalog_watch.hpp"
#include "proxy/console.hpp"
#include "proxy/endpoint_settings.hpp"
#include "proxy/login_desk.hpp"
#include "proxy/routing.hpp"

namespace pgtandem::proxy {

class Worker;

// Who may be cancelled by which key.
class CancelRegistry {
public:
    struct Target {
        Worker* worker;
        std::uint64_t session;
    };
    void add(std::uint32_t process_id, std::string const& key, Target target);
    void remove(std::uint32_t process_id, std::string const& key);
    // Null worker: nobody has that key. Takes as long for a wrong key as for a right one.
    Target find(std::uint32_t process_id, std::string const& key) const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::uint32_t, std::vector<std::pair<std::string, Target>>> entries_;
};

class ClientCounts {
public:
    void add(std::string const& user, std::string const& database, int change);
    std::pair<std::size_t, std::size_t> of(std::string const& user, std::string const& database) const;
    std::size_t all() const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t> users_;
    std::map<std::string, std::size_t> databases_;
    std::size_t all_ = 0;
};

// Databases that somebody wants to be empty: to drop one, or to copy it.
class Clearings {
public:
    void begin(std::string const& database);
    bool is_under_way(std::string const& database) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, Clock::time_point> until_;
};

// Where console commands are run: a thread of its own, since they may wait for the workers.
class ConsoleRunner {
public:
    using Answer = std::function<void(Result<ConsoleAnswer>)>;
    // 'answer' is called on that thread.
    virtual void run(std::string text, ConsoleRight right, Answer answer) = 0;

protected:
    ~ConsoleRunner() = default;
};

// A server's own limit is reached: for one role, for one database, or for all of them.
struct RoomWanted {
    std::string server;
    std::optional<std::string> user;
    std::optional<std::string> database;
    Clock::time_point since;  // the session that needs it has waited
};

struct Shared {
    RoutingBoard& routing;
    LoginDesk& desk;
    CatalogWatch& catalog;
    ConsoleRunner& console;
    std::string mock_secret;  // of the SCRAM dialogue with roles that are not there
    std::atomic<bool> unflushed_commits{false};  // see Samples
    Acknowledged acknowledged{};
    CancelRegistry cancels{};
    ClientCounts counts{};
    std::atomic<std::size_t> connected{0};  // also clients who have not logged in
    // What there are open files for: clients, those of them who have not logged in, and backends of each server.
    std::size_t most_clients = std::numeric_limits<std::size_t>::max();
    std::size_t most_newcomers = std::numeric_limits<std::size_t>::max();
    std::size_t most_backends = std::numeric_limits<std::size_t>::max();
    Clearings clearings{};
    std::atomic<Clock::time_point> terminated_at{Clock::time_point()};
    // To a process that may know a key that is not known here.
    std::function<void(std::uint32_t process_id, std::string const& key, std::function<void()> delivered)> cancel_elsewhere{};

    // The process before this one serves clients still; null where there was none.
    std::function<bool()> former_serves{};

    // Takes all sessions with servers that serve no client out of a database.
    std::function<void(std::string const& database)> leave{};

    // Asks all workers but that one for the room of a backend; 'answer' is called on its thread: whether any of them has one.
    std::function<void(Worker& asker, RoomWanted const& wanted, std::function<void(bool)> answer)> ask_for_room{};

    // Of all workers: the sessions in a database that is no more.
    std::function<void(std::string const& database)> end_sessions_in{};

    // 'delivered' is called from any thread.
    void cancel(std::uint32_t process_id, std::string const& key, std::function<void()> delivered) const;
    // Clients who are in the database stay; nothing is kept of those who leave it as long as PostgreSQL waits for that.
    void clear(std::string const& database);
    void client_left(std::string const& user, std::string const& database);
    void leave_unless_used(std::string const& database) const;

    std::shared_ptr<EndpointSettings const> settings() const {
        std::lock_guard const guard(mutex);
        return current_settings;
    }
    std::shared_ptr<io::TlsContext const> tls() const {
        std::lock_guard const guard(mutex);
        return current_tls;
    }
    void set(std::shared_ptr<EndpointSettings const> settings, std::shared_ptr<io::TlsContext const> tls) {
        std::lock_guard const guard(mutex);
        current_settings = std::move(settings);
        current_tls = std::move(tls);
    }

    mutable std::mutex mutex{};
    std::shared_ptr<EndpointSettings const> current_settings{};
    std::shared_ptr<io::TlsContext const> current_tls{};
};

}  // namespace pgtandem::proxy
