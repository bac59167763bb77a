#include "proxy/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "base/log.hpp"
#include "base/random.hpp"
#include "io/descriptors.hpp"

namespace pgtandem::proxy {

namespace {

constexpr auto pause_patience = std::chrono::seconds(60);
// A PAUSE waits: others must be able to look, and to RESUME.
constexpr unsigned console_thread_count = 4;
// The former one may have to find out first that a worker of its stands still.
constexpr auto let_go_patience = 3 * stands_still_after;
// In one turn of a worker: some hundredths of a millisecond each.
constexpr std::size_t clients_told_at_once = 64;
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

// Each client and each backend is an open file. Says how many there may be of each, so that neither uses up what others need.
void share_descriptors(EndpointSettings const& settings, std::size_t servers, Shared& shared) {
    auto const limit = io::raise_descriptor_limit();
    auto const others = std::min(other_files, limit / 3);
    io::keep_back_descriptors(limit, others);
    auto const left = limit - others;
    auto const backends = std::min(settings.server_connections * std::max<std::size_t>(servers, 1), left / 3);
    shared.most_backends = backends / std::max<std::size_t>(servers, 1);
    shared.most_clients = left - backends;
    shared.most_newcomers = shared.most_clients / 2;
    if (shared.most_clients < settings.client_connections) {
        log::warn("of the {} clients of client_connections {} may be connected at once: this process may have {} open files (ulimit -Hn)",
                  settings.client_connections, shared.most_clients, limit);
    }
    if (shared.most_backends < settings.server_connections) {
        log::warn("of the {} backends of server_connections {} may be open for each server: this process may have {} open files (ulimit -Hn)",
                  settings.server_connections, shared.most_backends, limit);
    }
}

wire::ErrorFields goodbye() { return make_error("FATAL", "57P01", "terminating connection due to administrator command"); }

std::span<std::uint64_t const> some_of(std::span<std::uint64_t const> ids, std::size_t told) {
    return ids.subspan(told, std::min(clients_told_at_once, ids.size() - told));
}

void add_clients(std::vector<ClientInfo> clients, WorkerSnapshot& snapshot) {
    for (auto& client : clients) {
        snapshot.memory.add(MemoryFor::client_input, client.input_bytes);
        snapshot.memory.add(MemoryFor::client_output, client.output_bytes);
        snapshot.clients.push_back(std::move(client));
    }
}

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
    share_descriptors(*settings, shared_.routing.current()->servers.size(), shared_);
    auto const threads = thread_count(*settings);
    PGTANDEM_TRY(sockets, open_sockets(*settings, threads, takeover ? takeover->take_sockets() : std::vector<ListeningSocket>()));
    sockets_ = std::move(sockets);
    if (takeover) {
        former_ = std::move(takeover);
        shared_.acknowledged.set_other(Acknowledged::Other::former, true);
        shared_.former_serves = [this] { return former_->is_there(); };
        shared_.cancel_elsewhere = [this](std::uint32_t process_id, std::string const& key, std::function<void()> delivered) {
            former_->cancel(process_id, key, std::move(delivered));
        };
    }
    PGTANDEM_CHECK(workers_.make(shared_, threads));
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        workers_.at(index % threads).listen(sockets_[index].fd.get(), sockets_[index].target);
    }
    shared_.ask_for_room = [this](Worker& asker, RoomWanted const& wanted, std::function<void(bool)> const& answer) {
        struct Answers {
            std::atomic<std::size_t> missing;
            std::atomic<bool> any{false};
        };
        auto const answers = std::make_shared<Answers>(workers_.size() - 1);
        workers_.post_to_all([&asker, wanted, answer, answers](Worker& worker) {
            if (&worker == &asker) return;
            if (worker.give_room(wanted, nullptr)) answers->any = true;
            if (--answers->missing == 0) asker.loop().post([answer, answers] { answer(answers->any); });
        });
    };
    shared_.end_sessions_in = [this](std::string const& database) {
        workers_.post_to_all([database](Worker& worker) { worker.end_sessions_in(database); });
    };
    shared_.leave = [this](std::string const& database) {
        workers_.post_to_all([database](Worker& worker) { worker.reconnect(database); });
        shared_.catalog.leave(database);
    };
    PGTANDEM_CHECK(workers_.start());
    if (former_) PGTANDEM_CHECK(former_->serving(Deadline::in(let_go_patience)));
    shared_.routing.on_change([this] { workers_.post_to_all([](Worker& worker) { worker.take_routing(); }); });
    return start_console();
}

Status Endpoint::start_console() {
    try {
        for (unsigned number = 0; number < console_thread_count; ++number) console_threads_.emplace_back([this] { run_console(); });
    } catch (std::exception const& fault) {
        return fail("starting the console's threads", "", fault.what());
    }
    return {};
}

void Endpoint::stop_listening() {
    workers_.ask([](Worker& worker) { worker.stop_listening(); });
}

std::size_t Endpoint::session_count() {
    auto const count = std::make_shared<std::atomic<std::size_t>>(0);
    // One that stands still has clients until it says otherwise.
    if (!workers_.ask([count](Worker& worker) { *count += worker.session_count(); })) ++*count;
    return *count;
}

bool Endpoint::drain(Deadline deadline, std::function<bool()> const& stops) {
    auto const all_left = [&](Deadline until, bool ends_idle) {
        while (!stops()) {
            if (ends_idle) {
                workers_.ask([](Worker& worker) {
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

bool Endpoint::stop() {
    if (workers_.empty()) return true;
    shared_.routing.on_change(nullptr);
    stop_listening();
    workers_.ask([](Worker& worker) { worker.end_sessions([](ClientSession const&) { return true; }, goodbye()); });
    if (former_) former_->leave();
    // What was said last is sent before the loops end.
    workers_.ask([](Worker&) {});
    {
        std::lock_guard const guard(console_mutex_);
        console_ends_ = true;
    }
    console_wakes_.notify_all();
    for (auto& thread : console_threads_) thread.join();
    console_threads_.clear();
    if (!workers_.end()) return false;
    sockets_.clear();
    return true;
}

std::vector<WorkerSnapshot> Endpoint::snapshots() {
    // Those that stand still add to it later, when nobody looks any more.
    struct OfWorker {
        WorkerSnapshot snapshot;
        std::vector<std::uint64_t> ids;
        std::size_t told = 0;
    };
    struct Gathered {
        std::mutex mutex;
        std::map<Worker const*, OfWorker> all;
    };
    auto const gathered = std::make_shared<Gathered>();
    workers_.ask([gathered](Worker& worker) {
        OfWorker own{worker.snapshot(), worker.client_ids()};
        std::lock_guard const guard(gathered->mutex);
        gathered->all[&worker] = std::move(own);
    });
    auto const is_missing = [&] {
        std::lock_guard const guard(gathered->mutex);
        return std::ranges::any_of(gathered->all, [](auto const& each) { return each.second.told < each.second.ids.size(); });
    };
    // A worker serves others in between.
    while (is_missing()) {
        bool const have_all_said = workers_.ask([gathered](Worker& worker) {
            OfWorker* own = nullptr;
            {
                std::lock_guard const guard(gathered->mutex);
                auto const found = gathered->all.find(&worker);
                if (found != gathered->all.end()) own = &found->second;
            }
            if (own == nullptr) return;
            // It alone changes it.
            auto clients = worker.clients(some_of(own->ids, own->told));
            std::lock_guard const guard(gathered->mutex);
            add_clients(std::move(clients), own->snapshot);
            own->told += some_of(own->ids, own->told).size();
        });
        if (!have_all_said) break;
    }
    std::lock_guard const guard(gathered->mutex);
    std::vector<WorkerSnapshot> snapshots;
    for (auto& [worker, own] : gathered->all) snapshots.push_back(std::move(own.snapshot));
    return snapshots;
}

Status Endpoint::pause(std::string const& database) {
    auto const name = database.empty() ? "all databases" : database;
    unsigned const resumes = resumes_;
    workers_.ask([database](Worker& worker) { worker.pause(database, true); });
    auto const deadline = Deadline::in(pause_patience);
    for (;;) {
        auto const is_busy = std::make_shared<std::atomic<bool>>(false);
        bool const have_all_said = workers_.ask([is_busy, database](Worker& worker) {
            if (!worker.is_quiet(database)) *is_busy = true;
        });
        bool const is_quiet = have_all_said && !*is_busy;
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
    workers_.ask([database](Worker& worker) { worker.pause(database, false); });
    return {};
}

Status Endpoint::reconnect(std::string const& database) {
    workers_.ask([database](Worker& worker) { worker.reconnect(database); });
    return {};
}

Status Endpoint::reload() {
    PGTANDEM_TRY(wanted, read_settings_());
    PGTANDEM_TRY(tls, load_tls(wanted));
    shared_.set(std::make_shared<EndpointSettings const>(std::move(wanted)), tls);
    workers_.ask([](Worker& worker) { worker.take_settings(); });
    log::info("endpoint: settings reloaded");
    return {};
}

Status Endpoint::kill_client(std::uint64_t id) {
    auto const found = std::make_shared<std::atomic<bool>>(false);
    workers_.ask([found, id](Worker& worker) {
        worker.end_sessions(
            [&](ClientSession const& session) {
                if (session.id() == id) *found = true;
                return session.id() == id;
            },
            make_error("FATAL", "57P01", "terminating connection due to administrator command"));
    });
    if (!*found) return fail("ending the client", std::to_string(id), "there is no such client", "SHOW CLIENTS");
    return {};
}

Status Endpoint::kill_database(std::string const& database) {
    workers_.ask([database](Worker& worker) {
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
