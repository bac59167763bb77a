// The endpoint: listens, runs its workers, and does what the console asks of all of them.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "proxy/console.hpp"
#include "proxy/handover.hpp"
#include "proxy/listening.hpp"
#include "proxy/shared.hpp"
#include "proxy/worker_threads.hpp"

namespace pgtandem::proxy {

class Endpoint final : public EndpointControl, private ConsoleRunner {
public:
    // Settings for RELOAD, read anew from where they came from; an error leaves everything as it is.
    using ReadSettings = std::function<Result<EndpointSettings>()>;

    Endpoint(EndpointSettings settings, RoutingBoard& routing, LoginDesk& desk, CatalogWatch& catalog,
             ReadSettings read_settings);
    ~Endpoint() override;

    // Opens its sockets and serves. Errors: a port is taken, TLS files, or the former endpoint does not let go.
    Status start(std::optional<Takeover> takeover = std::nullopt);
    // No new clients.
    void stop_listening();
    // Waits until all clients have left; from the deadline on those between two transactions are ended, for some seconds.
    // False when somebody is left, or 'stops' says so first: it is asked again and again, and waits a moment each time.
    bool drain(Deadline deadline, std::function<bool()> const& stops);
    // Ends whoever is left. False when a worker stands still: then this may not be destroyed, and the process is to end soon.
    bool stop();
    std::vector<ListeningSocket> const& sockets() const { return sockets_; }
    // Another process is about to take over, or has not come to it. Thread-safe.
    void share_with_next(bool serves) { shared_.acknowledged.set_other(Acknowledged::Other::next, serves); }
    // Thread-safe.
    // 'delivered' is called from any thread.
    void cancel(std::uint32_t process_id, std::string const& key, std::function<void()> delivered) const {
        shared_.cancel(process_id, key, std::move(delivered));
    }

    // EndpointControl; thread-safe.
    std::vector<WorkerSnapshot> snapshots() override;
    std::shared_ptr<EndpointSettings const> settings() const override { return shared_.settings(); }
    std::shared_ptr<Routing const> routing() const override { return shared_.routing.current(); }
    Status pause(std::string const& database) override;
    Status resume(std::string const& database) override;
    Status reconnect(std::string const& database) override;
    Status reload() override;
    Status kill_client(std::uint64_t id) override;
    Status kill_database(std::string const& database) override;

private:
    struct Question {
        std::string text;
        ConsoleRight right;
        Answer answer;
    };

    void run(std::string text, ConsoleRight right, Answer answer) override;
    void run_console();
    std::size_t session_count();
    Status start_console();

    Shared shared_;
    ReadSettings read_settings_;
    std::vector<ListeningSocket> sockets_;
    std::optional<Takeover> former_;  // the endpoint before this one, while it drains
    WorkerThreads workers_;

    std::mutex console_mutex_;
    std::condition_variable console_wakes_;
    std::deque<Question> questions_;
    std::atomic<bool> console_ends_ = false;
    std::atomic<unsigned> resumes_ = 0;
    std::vector<std::thread> console_threads_;
};

}  // namespace pgtandem::proxy
