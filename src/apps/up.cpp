// pgtandem up: makes or starts the cluster, proves it, keeps it running.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "agent/supervisor.hpp"
#include "apps/commands.hpp"
#include "apps/endpoint.hpp"
#include "apps/follow.hpp"
#include "apps/signals.hpp"
#include "apps/wanted.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/proof.hpp"
#include "cli/terminal.hpp"
#include "client/session.hpp"
#include "instance/preflight.hpp"
#include "io/lock_file.hpp"
#include "io/processes.hpp"

namespace pgtandem::apps {

namespace {

constexpr auto proof_patience = 30s;
constexpr auto lock_patience = 10s;

// The whole of one `up`, in the order of its steps.
class Up {
public:
    Up(cli::Settings settings, WantedCredentials given, SystemUser owner, Executable const& self, StopRequests& stop,
       bool takes_over)
        : takes_over_(takes_over),
          settings_(std::move(settings)),
          given_(std::move(given)),
          owner_(std::move(owner)),
          self_(self),
          stop_(stop),
          cluster_(settings_.path("dir")),
          progress_(cli::is_terminal(STDOUT_FILENO)) {}

    // 'on_proven' is called once the cluster is up; then this stays until asked to stop.
    Result<int> run(std::function<void()> const& on_proven) {
        auto const begun = Clock::now();
        PGTANDEM_CHECK(enter_folder());
        PGTANDEM_TRY(lock, LockFile::try_take(cluster_.paths.up_lock()));
        lock_ = std::move(lock);
        if (!lock_ && !takes_over_) return join_running();
        takes_over_ = !lock_;  // where nobody runs it, this is as any up
        if (takes_over_) PGTANDEM_CHECK(take_over_running());
        PGTANDEM_CHECK(log::open(cluster_.paths.log() / "pgtandem.log"));
        PGTANDEM_CHECK(prepare());
        progress_.step("checks", Clock::now() - begun);
        PGTANDEM_CHECK(start_supervisor());
        auto const proven = bring_up(begun);
        if (!proven) {
            give_up();
            return fail(proven.error());
        }
        on_proven();
        attend();
        if (is_given_) drain();
        else go_down();
        if (!has_endpoint_ended_) end_at_once(0);
        return 0;
    }

private:
    Status enter_folder() {
        PGTANDEM_TRY(is_ours, look_at_folder(cluster_.paths, owner_));
        is_new_ = !is_ours;
        if (is_new_) PGTANDEM_CHECK(make_folder(cluster_.paths, owner_));
        bool const was_root = ::geteuid() == 0;
        PGTANDEM_CHECK(work_as(owner_));
        if (was_root) fmt::print("running as user {}: PostgreSQL refuses to run as root\n", owner_.name);
        return {};
    }

    // Its sockets first, and when it has let go of the servers, the lock. If we end before we serve, it goes on.
    Status take_over_running() {
        PGTANDEM_CHECK(load(cluster_));
        PGTANDEM_TRY(endpoint, endpoint_settings(cluster_.state));
        auto const folder = cluster_.paths.folder.string();
        if (endpoint.port == 0) return fail("taking over the cluster", folder, "it has no endpoint", "pgtandem down, then pgtandem up");
        PGTANDEM_TRY(takeover, take_over(endpoint));
        takeover_ = std::move(takeover);
        if (takeover_) {
            PGTANDEM_TRY(lock, LockFile::try_take(cluster_.paths.up_lock()));
            lock_ = std::move(lock);
        }
        if (lock_) return {};
        return fail("taking over the cluster", folder, "the pgtandem that runs it does not offer it", "the same again in a moment");
    }

    Status start_supervisor() {
        supervisor_.emplace(AgentContext{cluster_.paths, *programs_, cluster_.credentials, self_, cluster_.store, cluster_.reports});
        return supervisor_->start();
    }

    // What another pgtandem that takes over needs from this one. On the thread that speaks with it.
    RunningEndpoint::Succession succession() {
        return {std::exchange(takeover_, std::nullopt), [this] { return make_way(); }, [this] { take_back(); },
                [this] { is_given_ = true; }};
    }

    Status make_way() {
        std::lock_guard const guard(attending_);
        if (is_ending_) return fail("taking over the cluster", cluster_.paths.folder.string(), "it is going down", "pgtandem up");
        supervisor_->leave();
        lock_.reset();
        return {};
    }

    void take_back() {
        std::lock_guard const guard(attending_);
        // The other one may have let go of us before it lets go of the lock.
        auto const deadline = Deadline::in(lock_patience);
        do {
            if (auto lock = LockFile::try_take(cluster_.paths.up_lock())) lock_ = std::move(*lock);
        } while (!lock_ && !deadline.passed() && !stop_.wait_for(20ms));
        // Where yet another one has the cluster, this one only serves its clients to the end.
        if (!lock_ || !start_supervisor()) is_given_ = true;
    }

    // Everything that can be refused is refused here, before anything is written.
    Status prepare() {
        if (!is_new_) PGTANDEM_CHECK(load(cluster_));
        PGTANDEM_CHECK(resolve(false));
        PGTANDEM_CHECK(check_wanted(cluster_, wanted_, *programs_, takeover_.has_value()));
        note_added();
        if (is_new_) {
            PGTANDEM_TRY(made, make_credentials(given_));
            cluster_.credentials = made;
        }
        fmt::print("pgtandem: PostgreSQL {} in {}, cluster in {}\n", programs_->version, programs_->folder.string(),
                   cluster_.paths.folder.string());
        return write_down();
    }

    Status resolve(bool is_running) {
        if (!cluster_.state.nodes.empty()) {
            PGTANDEM_CHECK(check_same_credentials(cluster_.credentials, given_));
            settings_.add_remembered(remembered(cluster_.state), cluster_.state.postgresql);
        }
        PGTANDEM_TRY(programs, programs_for(cluster_.state, settings_));
        programs_ = programs;
        PGTANDEM_TRY(wanted, wanted_state(cluster_.state, settings_, is_running));
        wanted_ = wanted;
        wanted_.pg_major = programs.major;
        return {};
    }

    Status write_down() {
        PGTANDEM_CHECK(make_socket_folder(cluster_.paths));
        for (auto const& folder : {cluster_.paths.archive(), cluster_.paths.log(), cluster_.paths.nodes()}) {
            PGTANDEM_CHECK(make_directory(folder));
        }
        PGTANDEM_CHECK(write_credentials());
        PGTANDEM_CHECK(write_archive_script());
        PGTANDEM_CHECK(refresh_hba());
        PGTANDEM_CHECK(remove_tree(cluster_.reports.file()));
        PGTANDEM_CHECK(cluster_.reports.write({{"up", {{"phase", "starting"}, {"process", ::getpid()}}}}));
        return save_state();
    }

    Status write_credentials() {
        auto& credentials = cluster_.credentials;
        bool is_whole = !is_new_;
        for (auto* const password : {&credentials.catalog_password, &credentials.logins_password, &credentials.monitor_password}) {
            if (!password->empty()) continue;
            *password = make_password();
            is_whole = false;
        }
        if (is_whole) return {};
        return save_credentials(cluster_.paths, cluster_.credentials);
    }

    Status write_archive_script() {
        auto const text = render_archive_script(cluster_.paths.archive(), wanted_.archive_segments);
        auto const present = read_file(cluster_.paths.archive_script());
        if (present && *present == text) return {};
        return write_file(cluster_.paths.archive_script(), text);
    }

    // Another --listen needs other lines; a pg_hba.conf that a user has changed is theirs.
    Status refresh_hba() {
        for (auto const& [name, entry] : cluster_.state.nodes) {
            auto const file = cluster_.paths.node(name).data() / "pg_hba.conf";
            auto const text = read_file(file);
            if (!text || *text != render_hba(cluster_.state.listen)) continue;
            if (wanted_.listen != cluster_.state.listen) PGTANDEM_CHECK(write_file(file, render_hba(wanted_.listen)));
        }
        return {};
    }

    Status save_state() {
        bool const is_same = wanted_ == cluster_.state;
        cluster_.state = wanted_;
        if (is_same) return {};
        PGTANDEM_CHECK(cluster_.store.write({{"cluster", to_json(wanted_)}, {"primary", {{"node", wanted_.primary}}}}));
        return {};
    }

    Status bring_up(Clock::time_point begun) {
        PGTANDEM_CHECK(follow_until_ready(cluster_, progress_, [this] { return stop_.came(); }));
        PGTANDEM_CHECK(take_given_password());
        PGTANDEM_CHECK(prove());
        PGTANDEM_TRY(snapshot, cluster_.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        cluster_.state.endpoint = state.endpoint;
        auto const cluster_revision = snapshot.keys.at("cluster").revision;
        PGTANDEM_TRY(endpoint, RunningEndpoint::open(cluster_, succession()));
        endpoint_ = std::move(endpoint);
        PGTANDEM_CHECK(tell_ready(cluster_revision, ""));
        fmt::print("up in {}\n\n", human_duration(Clock::now() - begun));
        print_connections();
        return {};
    }

    // 'revision': of the state whose settings of the endpoint are in effect, or could not come into effect for that reason.
    Status tell_ready(std::uint64_t revision, std::string const& error) {
        PGTANDEM_CHECK(cluster_.reports.write({{"up",
                                                {{"phase", "ready"},
                                                 {"process", ::getpid()},
                                                 {"endpoint_revision", revision},
                                                 {"endpoint_error", error}}}}));
        told_revision_ = revision;
        return {};
    }

    // A password in --env-file that is not the one we know: a user has changed it with SQL, or this is a mistake.
    Status take_given_password() {
        if (given_.password.empty() || given_.password == cluster_.credentials.password) return {};
        auto conninfo = topology_of(cluster_).primary().user;
        conninfo.passfile.clear();
        conninfo.password = given_.password;
        auto const session = Session::connect(conninfo, Deadline::in(5s));
        if (!session) {
            return fail("reading the credentials", "POSTGRES_PASSWORD",
                        fmt::format("it is not the one of user {}: {}", cluster_.credentials.user, session.error().why),
                        "ALTER ROLE ... PASSWORD in SQL first");
        }
        cluster_.credentials.password = given_.password;
        return save_credentials(cluster_.paths, cluster_.credentials);
    }

    Status prove() {
        auto const topology = topology_of(cluster_);
        auto const begun = Clock::now();
        auto const proof = cli::prove_replication(topology, Deadline::in(proof_patience));
        if (!proof) return fail(Error(proof.error()).within("proving that it replicates"));
        progress_.step("proof", Clock::now() - begun, describe(*proof, topology));
        return {};
    }

    void print_connections() {
        auto const topology = topology_of(cluster_);
        std::vector<std::vector<std::string>> rows{{"NODE", "ROLE", "CONNECT WITH"}};
        if (topology.endpoint) rows.push_back({"endpoint", "primary", "psql '" + to_uri(*topology.endpoint) + "'"});
        for (auto const& node : topology.nodes) {
            rows.push_back({node.name, node.is_primary ? "primary" : "replica", "psql '" + to_uri(node.user) + "'"});
        }
        fmt::print("{}\nuser, password and database: {}\n", cli::render_table(rows),
                   cluster_.paths.credentials().string());
        std::fflush(stdout);
    }

    // The foreground: says what happens to the nodes until somebody asks to stop.
    void attend() {
        fmt::print("running; Ctrl-C stops it\n");
        std::fflush(stdout);
        auto before = node_reports(cluster_);
        std::string complaint;
        while (!stop_.wait_for(500ms) && !is_given_) {
            auto const taken = take_endpoint_changes();
            if (!taken && taken.error().line() != complaint) log::warn(taken.error().line());
            complaint = taken ? "" : taken.error().line();
            auto now = node_reports(cluster_);
            for (auto const& [name, report] : now) {
                if (before.contains(name) && before[name].phase == report.phase && before[name].error == report.error) {
                    continue;
                }
                auto const what = report.error.empty() ? report.phase + ": " + report.detail : report.error;
                fmt::print("{}: {}\n", name, what);
                std::fflush(stdout);
            }
            before = std::move(now);
        }
    }

    // Another `up` may have written other settings of the endpoint.
    Status take_endpoint_changes() {
        PGTANDEM_TRY(snapshot, cluster_.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        auto const revision = snapshot.keys.at("cluster").revision;
        if (revision == told_revision_) return {};
        Status reloaded;
        if (endpoint_ && state.endpoint != cluster_.state.endpoint) reloaded = endpoint_->reload();
        cluster_.state.endpoint = state.endpoint;
        if (!reloaded) log::warn(reloaded.error().line());
        return tell_ready(revision, reloaded ? "" : reloaded.error().line());
    }

    // Another pgtandem runs the cluster now.
    void drain() {
        fmt::print("another pgtandem has taken over; serving the clients that are here until they leave\n");
        std::fflush(stdout);
        if (endpoint_) has_endpoint_ended_ = endpoint_->drain([this] { return stop_.wait_for(20ms); });
    }

    void go_down() {
        auto const begun = Clock::now();
        {
            std::lock_guard const guard(attending_);
            is_ending_ = true;
        }
        if (endpoint_) has_endpoint_ended_ = endpoint_->stop();
        static_cast<void>(cluster_.reports.write({{"up", {{"phase", "stopping"}, {"process", ::getpid()}}}}));
        fmt::print("stopping the primary, then the replicas\n");
        std::fflush(stdout);
        supervisor_->stop();
        fmt::print("down in {}\n", human_duration(Clock::now() - begun));
    }

    // A bring-up that failed: what ran is stopped again, but for what was taken over, and nodes that this command added are
    // not wanted any more, unless the cluster is being made: then the next `up` goes on with it.
    void give_up() {
        if (endpoint_) endpoint_->stop();
        if (takes_over_) supervisor_->leave();
        else supervisor_->stop();
        drop_added();
    }

    void note_added() {
        for (auto const& [name, entry] : wanted_.nodes) {
            if (!is_new_ && !cluster_.state.nodes.contains(name)) added_.push_back(name);
        }
    }

    void drop_added() {
        if (added_.empty()) return;
        static_cast<void>(change_state(cluster_.store, [&](cluster::ClusterState& state) -> Status {
            for (auto const& name : added_) {
                if (state.nodes.contains(name)) state.nodes.at(name).removed = true;
            }
            return {};
        }));
    }

    // Somebody else keeps this cluster running: gives it what is new, and waits until it is so.
    Result<int> join_running() {
        PGTANDEM_TRY(said, cluster_.reports.read());
        auto const running = up_process(cluster_).value_or(std::nullopt).value_or(0);
        auto const up = said.keys.find("up");
        auto const phase = up == said.keys.end() ? "starting" : up->second.value.value("phase", "");
        if (phase != "ready") {
            return fail("bringing up the cluster", cluster_.paths.folder.string(),
                        fmt::format("another pgtandem (process {}) is {}", running,
                                    phase == "stopping" ? "taking it down" : "just bringing it up"),
                        "the same again in a moment");
        }
        PGTANDEM_CHECK(load(cluster_));
        PGTANDEM_CHECK(resolve(true));
        fmt::print("the cluster in {} is up already (process {})\n", cluster_.paths.folder.string(),
                   running);
        auto const before = cluster_.state;
        if (wanted_ != before) {
            PGTANDEM_CHECK(check_wanted(cluster_, wanted_, *programs_, true));
            note_added();
            PGTANDEM_CHECK(write_archive_script());
            progress_ = progress_from_now(cluster_);
            PGTANDEM_CHECK(change_to_wanted());
        }
        auto const changed =
            wanted_ != before ? follow_until_ready(cluster_, progress_, [this] { return stop_.came(); }) : Status();
        if (!changed) {
            drop_added();
            return fail(changed.error());
        }
        PGTANDEM_CHECK(follow_until_endpoint_has_settings(cluster_, [this] { return stop_.came(); }));
        PGTANDEM_CHECK(take_given_password());
        if (wanted_ != before) PGTANDEM_CHECK(prove());
        PGTANDEM_TRY(other, up_process(cluster_));
        if (!other || is_ending(*other)) {
            return fail("bringing up the cluster", cluster_.paths.folder.string(), "the pgtandem that ran it has just ended",
                        "the same again");
        }
        print_connections();
        return 0;
    }

    Status change_to_wanted() {
        auto const expected = cluster_.state;
        return change_state(cluster_.store, [&](cluster::ClusterState& state) -> Status {
            if (state != expected) {
                return fail("changing the cluster", cluster_.paths.folder.string(), "another command changes it now",
                            "the same again in a moment");
            }
            state = wanted_;
            return {};
        });
    }

    bool takes_over_;
    cli::Settings settings_;
    WantedCredentials given_;
    SystemUser owner_;
    Executable self_;
    StopRequests& stop_;
    Cluster cluster_;
    cli::Progress progress_;
    std::optional<PgPrograms> programs_;
    cluster::ClusterState wanted_;
    std::vector<std::string> added_;
    bool is_new_ = false;
    std::optional<proxy::Takeover> takeover_;
    std::mutex attending_;  // of the lock and the supervisor, which another pgtandem may ask for
    std::optional<LockFile> lock_;
    std::optional<Supervisor> supervisor_;
    bool is_ending_ = false;
    std::atomic<bool> is_given_ = false;
    std::unique_ptr<RunningEndpoint> endpoint_;
    bool has_endpoint_ended_ = true;
    std::uint64_t told_revision_ = 0;  // of the state whose settings of the endpoint are in effect, as the reports say
};

int report(Result<int> const& done) {
    if (done) return *done;
    if (done.error().kind == ErrorKind::stopped) {
        fmt::print("stopped; the next up goes on from here\n");
        return 1;
    }
    cli::print_error(done.error());
    return cli::exit_status(done.error());
}

// The one who waits: passes requests to stop on, and leaves when the other is proven or has ended.
int wait_for_detached(pid_t pid, UniqueFd proven, StopRequests& stop) {
    for (;;) {
        pollfd entry{proven.get(), POLLIN, 0};
        if (::poll(&entry, 1, 50) > 0) break;
        if (stop.came()) {
            ::kill(pid, SIGINT);
            ::poll(&entry, 1, -1);
            break;
        }
    }
    char word = 0;
    if (::read(proven.get(), &word, 1) == 1) return 0;
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

void leave_terminal(UniqueFd& proven) {
    std::fflush(stdout);
    UniqueFd const nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (int const fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing.get(), fd);
    [[maybe_unused]] auto const put = ::write(proven.get(), "y", 1);
    proven.reset();
}

}  // namespace

Result<int> up(cli::CommandLine const& line, Executable const& self) {
    StopRequests stop;
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(given, given_credentials(settings));
    PGTANDEM_TRY(owner, owner_user());
    Up command(settings, given, owner, self, stop, line.has("takeover"));
    if (!line.has("detach")) return report(command.run([] {}));
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe", "");
    UniqueFd proven_read(ends[0]);
    UniqueFd proven_write(ends[1]);
    std::fflush(stdout);
    auto const pid = ::fork();
    if (pid < 0) return fail_errno("starting in the background", "pgtandem");
    if (pid > 0) {
        proven_write.reset();
        return wait_for_detached(pid, std::move(proven_read), stop);
    }
    ::setsid();
    proven_read.reset();
    auto const status = report(command.run([&] { leave_terminal(proven_write); }));
    std::fflush(stdout);
    ::_exit(status);
}

}  // namespace pgtandem::apps
