#include "proxy/endpoint.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>

#include "base/log.hpp"
#include "base/random.hpp"

namespace pgtandem::proxy {

namespace {

constexpr int backlog = 4096;
constexpr auto pause_patience = std::chrono::seconds(60);
// A PAUSE waits: others must be able to look, and to RESUME.
constexpr unsigned console_thread_count = 4;
constexpr auto look_interval = std::chrono::milliseconds(10);

unsigned thread_count(EndpointSettings const& settings) {
    if (settings.threads > 0) return settings.threads;
    return std::max(1U, std::thread::hardware_concurrency() / 2);
}

Result<std::shared_ptr<io::TlsContext const>> load_tls(EndpointSettings const& settings) {
    if (settings.tls == TlsMode::off || settings.tls_certificate.empty()) return std::shared_ptr<io::TlsContext const>();
    return io::TlsContext::server(settings.tls_certificate, settings.tls_key, settings.tls_client_ca);
}

// Several sockets on one port share its connections; a single one makes sure that nobody else has the port.
Result<UniqueFd> open_socket(io::SocketAddress const& address, bool shares_port, std::string const& name) {
    UniqueFd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return fail_errno("opening the endpoint", name);
    int const yes = 1;
    if (address.storage.ss_family != AF_UNIX) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        if (shares_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
    }
    if (::bind(fd.get(), reinterpret_cast<sockaddr const*>(&address.storage), address.length) != 0 || ::listen(fd.get(), backlog) != 0) {
        auto error = fail_errno("opening the endpoint", name);
        return fail(std::move(error.value()).with_hint("--endpoint-port and --reads-port with others"));
    }
    return fd;
}

}  // namespace

Endpoint::Endpoint(EndpointSettings settings, RoutingBoard& routing, LoginDesk& desk, CatalogWatch& catalog, ReadSettings read_settings)
    : shared_{routing, desk, catalog, *this, random_bytes(32)}, read_settings_(std::move(read_settings)) {
    shared_.set(std::make_shared<EndpointSettings const>(std::move(settings)), nullptr);
}

Endpoint::~Endpoint() { stop(); }

Status Endpoint::start() {
    auto const settings = shared_.settings();
    PGTANDEM_TRY(tls, load_tls(*settings));
    shared_.set(settings, tls);
    auto const threads = thread_count(*settings);
    PGTANDEM_CHECK(open_sockets(threads));
    for (unsigned number = 0; number < threads; ++number) {
        PGTANDEM_TRY(worker, Worker::make(shared_, threads));
        workers_.push_back(std::move(worker));
    }
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        workers_[index % threads]->listen(sockets_[index].fd.get(), sockets_[index].target);
    }
    for (auto const& worker : workers_) threads_.emplace_back([&worker = *worker] { worker.run(); });
    for (unsigned number = 0; number < console_thread_count; ++number) console_threads_.emplace_back([this] { run_console(); });
    shared_.routing.on_change([this] {
        for (auto const& worker : workers_) worker->loop().post([&worker = *worker] { worker.take_routing(); });
    });
    return {};
}

Status Endpoint::open_sockets(unsigned threads) {
    auto const settings = shared_.settings();
    for (auto const target : {Target::primary, Target::replicas}) {
        auto const port = target == Target::primary ? settings->port : settings->reads_port;
        if (port == 0) continue;
        for (auto const& host : settings->listen) {
            PGTANDEM_TRY(address, io::SocketAddress::tcp(host, port));
            auto const name = fmt::format("{}:{}", host, port);
            for (unsigned number = 0; number < threads; ++number) {
                PGTANDEM_TRY(fd, open_socket(address, threads > 1, name));
                sockets_.push_back({std::move(fd), target});
            }
        }
        if (settings->unix_socket_folder.empty()) continue;
        auto const path = settings->unix_socket_folder / fmt::format(".s.PGSQL.{}", port);
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        PGTANDEM_TRY(address, io::SocketAddress::unix_socket(path.string()));
        PGTANDEM_TRY(fd, open_socket(address, false, path.string()));
        sockets_.push_back({std::move(fd), target});
    }
    return {};
}

void Endpoint::stop(Clock::duration drain) {
    if (workers_.empty()) return;
    shared_.routing.on_change(nullptr);
    on_each_worker([](Worker& worker) { worker.stop_listening(); });
    auto const goodbye = make_error("FATAL", "57P01", "terminating connection due to administrator command");
    auto const deadline = Deadline::in(drain);
    do {
        // Whoever is between two transactions goes first.
        on_each_worker([&](Worker& worker) {
            worker.end_sessions([](ClientSession const& session) { return session.is_idle(); }, goodbye);
        });
        if (shared_.counts.all() == 0) break;
        if (!deadline.passed()) std::this_thread::sleep_for(look_interval);
    } while (!deadline.passed());
    on_each_worker([&](Worker& worker) { worker.end_sessions([](ClientSession const&) { return true; }, goodbye); });
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
