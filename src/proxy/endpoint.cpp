#include "proxy/endpoint.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/random.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto pause_patience = std::chrono::seconds(60);
// A PAUSE waits: others must be able to look, and to RESUME.
constexpr unsigned console_thread_count = 4;
constexpr auto let_go_patience = std::chrono::seconds(5);
// What a transaction may take longer when all are to have left.
constexpr auto last_grace = std::chrono::seconds(10);
constexpr auto look_interval = std::chrono::milliseconds(10);
// What the process has open beside clients and backends: the sessions that watch the servers, logs, what the agents run.
constexpr std::size_t other_files = 200;

unsigned thread_count(EndpointSettings const& settings) {
    if (settings.threads > 0) return settings.threads;
    // Each has one backend of a pool at least.
    return std::clamp(std::thread::hardware_concurrency() / 2, 1U, static_cast<unsigned>(settings.pool_size));
}

Result<std::shared_ptr<io::TlsContext const>> load_tls(EndpointSettings const& settings) {
    if (settings.tls == TlsMode::off || settings.tls_certificate.empty()) return std::shared_ptr<io::TlsContext const>();
    return io::TlsContext::server(settings.tls_certificate, settings.tls_key, settings.tls_client_ca);
}

// Each client and each backend is an open file. Takes as many as the system lets us have, and gives how many clients they are
// enough for: the others are to be told, and not to wait until somebody leaves.
std::size_t clients_for_files(EndpointSettings const& settings, std::size_t servers) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return settings.client_connections;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    auto const others = other_files + settings.server_connections * std::max<std::size_t>(servers, 1);
    auto const enough_for = limit.rlim_cur > 2 * others ? limit.rlim_cur - others : limit.rlim_cur / 2;
    if (enough_for < settings.client_connections) {
        log::warn("of the {} clients of client_connections {} may be connected at once: this process may have {} open files (ulimit -Hn)",
                  settings.client_connections, enough_for, limit.rlim_cur);
    }
    return enough_for;
}

wire::ErrorFields goodbye() { return make_error("FATAL", "57P01", "terminating connection due to administrator command"); }

}  // namespace

Endpoint::Endpoint(EndpointSettings settings, RoutingBoard& routing, LoginDesk& desk, CatalogWatch& catalog,
                   ReadSettings read_settings)
    : shared_{routing, desk, catalog, *this, random_bytes(32)}, read_settings_(std::move(read_settings)) {
    shared_.set(std::make_shared<EndpointSettings const>(std::move(settings)), nullptr);
}

Endpoint::~Endpoint() { stop(); }

Status Endpoint::start(std::optional<Takeover> takeover) {
    auto const settings = shared_.settings();
    PGTANDEM_TRY(tls, load_tls(*settings));
    shared_.set(settings, tls);
    shared_.most_clients = clients_for_files(*settings, shared_.routing.current()->servers.size());
    auto const threads = thread_count(*settings);
    PGTANDEM_TRY(sockets, open_sockets(*settings, threads, takeover ? takeover->take_sockets() : std::vector<ListeningSocket>()));
    sockets_ = std::move(sockets);
    if (takeover) {
        former_ = std::move(takeover);
        shared_.cancel_elsewhere = [this](std::uint32_t process_id, std::string const& key) { former_->cancel(process_id, key); };
    }
    for (unsigned number = 0; number < threads; ++number) {
        PGTANDEM_TRY(worker, Worker::make(shared_, number, threads));
        workers_.push_back(std::move(worker));
    }
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        workers_[index % threads]->listen(sockets_[index].fd.get(), sockets_[index].target);
    }
    shared_.leave = [this](std::string const& database) {
        for (auto const& worker : workers_) worker->loop().post([&worker = *worker, database] { worker.reconnect(database); });
        shared_.catalog.leave(database);
    };
    for (auto const& worker : workers_) threads_.emplace_back([&worker = *worker] { worker.run(); });
    if (former_) PGTANDEM_CHECK(former_->serving(Deadline::in(let_go_patience)));
    for (unsigned number = 0; number < console_thread_count; ++number) console_threads_.emplace_back([this] { run_console(); });
    shared_.routing.on_change([this] {
        for (auto const& worker : workers_) worker->loop().post([&worker = *worker] { worker.take_routing(); });
    });
    return {};
}

void Endpoint::stop_listening() {
    on_each_worker([](Worker& worker) { worker.stop_listening(); });
}

std::size_t Endpoint::session_count() {
    std::atomic<std::size_t> count = 0;
    on_each_worker([&](Worker& worker) { count += worker.session_count(); });
    return count;
}

bool Endpoint::drain(Deadline deadline, std::function<bool()> const& stops) {
    auto const all_left = [&](Deadline until, bool ends_idle) {
        while (!stops()) {
            if (ends_idle) {
                on_each_worker([](Worker& worker) {
                    worker.end_sessions([](ClientSession const& session) { return session.is_idle(); }, goodbye());
                });
            }
            // The one before may have the query of a cancel request that comes through here.
            if (session_count() == 0 && !(former_ && former_->is_there())) return true;
            if (until.passed()) return false;
        }
        return false;
    };
    return all_left(deadline, false) || all_left(Deadline::in(last_grace), true);
}

void Endpoint::stop() {
    if (workers_.empty()) return;
    shared_.routing.on_change(nullptr);
    stop_listening();
    on_each_worker([](Worker& worker) { worker.end_sessions([](ClientSession const&) { return true; }, goodbye()); });
    // What was said last is sent before the loops end.
    on_each_worker([](Worker&) {});
    {
        std::lock_guard const guard(console_mutex_);
        console_ends_ = true;
    }
    console_wakes_.notify_all();
    for (auto& thread : console_threads_) thread.join();
    console_threads_.clear();
    for (auto const& worker : workers_) worker->loop().stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    workers_.clear();
    sockets_.clear();
}

void Endpoint::on_each_worker(std::function<void(Worker&)> const& work) {
    std::mutex mutex;
    std::condition_variable done;
    std::size_t left = workers_.size();
    for (auto const& worker : workers_) {
        worker->loop().post([&, target = worker.get()] {
            work(*target);
            std::lock_guard const guard(mutex);
            if (--left == 0) done.notify_all();
        });
    }
    std::unique_lock lock(mutex);
    done.wait(lock, [&] { return left == 0; });
}

std::vector<WorkerSnapshot> Endpoint::snapshots() {
    std::vector<WorkerSnapshot> all;
    std::mutex mutex;
    on_each_worker([&](Worker& worker) {
        auto snapshot = worker.snapshot();
        std::lock_guard const guard(mutex);
        all.push_back(std::move(snapshot));
    });
    return all;
}

Status Endpoint::pause(std::string const& database) {
    auto const name = database.empty() ? "all databases" : database;
    unsigned const resumes = resumes_;
    on_each_worker([&](Worker& worker) { worker.pause(database, true); });
    auto const deadline = Deadline::in(pause_patience);
    for (;;) {
        bool is_quiet = true;
        std::mutex mutex;
        on_each_worker([&](Worker& worker) {
            std::lock_guard const guard(mutex);
            is_quiet = is_quiet && worker.is_quiet(database);
        });
        if (resumes_ != resumes) return fail("pausing", name, "it was resumed before the running transactions had ended");
        if (console_ends_) return fail("pausing", name, "the endpoint stops");
        if (is_quiet) return {};
        if (deadline.passed()) {
            return fail("pausing", name,
                        fmt::format("transactions still run after {} s; new ones wait", pause_patience.count()), "RESUME");
        }
        std::this_thread::sleep_for(look_interval);
    }
}

Status Endpoint::resume(std::string const& database) {
    ++resumes_;
    on_each_worker([&](Worker& worker) { worker.pause(database, false); });
    return {};
}

Status Endpoint::reconnect(std::string const& database) {
    on_each_worker([&](Worker& worker) { worker.reconnect(database); });
    return {};
}

Status Endpoint::reload() {
    PGTANDEM_TRY(wanted, read_settings_());
    PGTANDEM_TRY(tls, load_tls(wanted));
    shared_.set(std::make_shared<EndpointSettings const>(std::move(wanted)), tls);
    on_each_worker([](Worker& worker) { worker.take_settings(); });
    log::info("endpoint: settings reloaded");
    return {};
}

Status Endpoint::kill_client(std::uint64_t id) {
    std::atomic<bool> found = false;
    on_each_worker([&](Worker& worker) {
        worker.end_sessions(
            [&](ClientSession const& session) {
                if (session.id() == id) found = true;
                return session.id() == id;
            },
            make_error("FATAL", "57P01", "terminating connection due to administrator command"));
    });
    if (!found) return fail("ending the client", std::to_string(id), "there is no such client", "SHOW CLIENTS");
    return {};
}

Status Endpoint::kill_database(std::string const& database) {
    on_each_worker([&](Worker& worker) {
        worker.end_sessions([&](ClientSession const& session) { return database.empty() || session.database() == database; },
                            make_error("FATAL", "57P01", "terminating connection due to administrator command"));
    });
    return {};
}

void Endpoint::run(std::string text, ConsoleRight right, Answer answer) {
    {
        std::lock_guard const guard(console_mutex_);
        questions_.push_back({std::move(text), right, std::move(answer)});
    }
    console_wakes_.notify_one();
}

void Endpoint::run_console() {
    for (;;) {
        std::unique_lock lock(console_mutex_);
        console_wakes_.wait(lock, [this] { return console_ends_ || !questions_.empty(); });
        if (console_ends_) return;
        auto question = std::move(questions_.front());
        questions_.pop_front();
        lock.unlock();
        question.answer(run_console_command(question.text, question.right, *this));
    }
}

}  // namespace pgtandem::proxy
