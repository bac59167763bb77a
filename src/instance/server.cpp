#include "instance/server.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/deadline.hpp"
#include "base/text.hpp"
#include "io/lock_file.hpp"
#include "io/processes.hpp"
#include "io/subprocess.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

// postmaster.pid: the process id in line 1, the status in line 8 (src/include/utils/pidfile.h).
struct Pidfile {
    pid_t pid = 0;
    std::string status;
};

Result<Pidfile> read_pidfile(NodePaths const& node) {
    Pidfile pidfile;
    PGTANDEM_TRY(text, read_file_if_there(node.data() / "postmaster.pid"));
    if (!text) return pidfile;
    auto const lines = split_lines(*text);
    if (lines.empty()) return pidfile;
    std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), pidfile.pid);
    if (lines.size() >= 8) pidfile.status = trim(lines[7]);
    return pidfile;
}

constexpr std::uint64_t last_words_bytes = 64 << 10;
constexpr auto guard_patience = 30s;
constexpr char const* guard_command = "guard";

// The guard of this node, if there is one; its id comes a moment after its lock, and is 0 until then.
Result<std::optional<pid_t>> find_guard(NodePaths const& node) {
    PGTANDEM_TRY(holder, LockFile::holder(node.guard_lock()));
    if (holder) return holder;
    std::string const words[] = {guard_command, node.folder.string()};
    PGTANDEM_TRY(found, find_process(words));
    return found > 0 ? std::optional(found) : std::nullopt;
}

std::optional<Path> newest_log(NodePaths const& node) {
    std::optional<Path> newest;
    fs::file_time_type newest_time;
    std::error_code error;
    for (fs::directory_iterator entry(node.log(), error), end; !error && entry != end; entry.increment(error)) {
        std::error_code gone;
        auto const time = entry->last_write_time(gone);
        if (gone || (newest && time < newest_time)) continue;
        newest = entry->path();
        newest_time = time;
    }
    return newest;
}

// The last FATAL or PANIC line of a log, without its prefix.
std::string last_fatal(Path const& log) {
    // A log may have grown to gigabytes, and the server is not started again before this has been read.
    auto const text = read_file_end(log, last_words_bytes);
    if (!text) return {};
    std::string found;
    for (auto const& line : split_lines(*text)) {
        for (auto const* level : {"FATAL:  ", "PANIC:  "}) {
            auto const at = line.find(level);
            if (at != std::string::npos) found = line.substr(at + 8);
        }
    }
    return found;
}

}  // namespace

Result<ServerProcess> observe_server(NodePaths const& node) {
    PGTANDEM_TRY(guard, find_guard(node));
    if (!guard) return ServerProcess{ServerState::stopped, 0, 0};
    PGTANDEM_TRY(pidfile, read_pidfile(node));
    // The guard takes a stale postmaster.pid away before it starts the server, so what is there is this server's.
    bool const ready = pidfile.status == "ready" || pidfile.status == "standby";
    return ServerProcess{ready ? ServerState::running : ServerState::starting, *guard, pidfile.pid};
}

Result<pid_t> launch_server(PgPrograms const& programs, NodePaths const& node, Path const& socket,
                            Executable const& self) {
    PGTANDEM_CHECK(make_directory(node.log()));
    PGTANDEM_CHECK(end_leftover_servers(node.data()));
    // Nobody runs there now. The lock files that a killed server left could name a process id that somebody else has by
    // now, and PostgreSQL would then refuse to start.
    std::error_code ignored;
    for (auto const& stale : {node.data() / "postmaster.pid", Path(socket.string() + ".lock"), socket}) {
        fs::remove(stale, ignored);
    }
    Program const guard{
        "pgtandem", {guard_command, node.folder.string(), (programs / "postgres").string()}, {}, node.folder, self.fd};
    PGTANDEM_TRY(pid, start_detached(guard, node.guard_log()));
    auto const deadline = Deadline::in(guard_patience);
    for (;;) {
        auto const holder = LockFile::holder(node.guard_lock());
        if (holder && *holder == pid) return pid;
        if (::waitpid(pid, nullptr, WNOHANG) == pid) return fail("starting the server", "", last_words(node));
        if (deadline.passed()) return fail("starting the server", node.guard_lock().string(), "its guard does not come to hold it");
        ::usleep(500);
    }
}

Status ask_server_to_stop(NodePaths const& node) {
    PGTANDEM_TRY(server, observe_server(node));
    if (server.guard > 0) ::kill(server.guard, SIGTERM);
    return {};
}

std::string last_words(NodePaths const& node) {
    if (auto const words = last_fatal(node.guard_log()); !words.empty()) return words;
    if (auto const log = newest_log(node)) {
        if (auto words = last_fatal(*log); !words.empty()) return words + " (log: " + log->string() + ")";
    }
    auto const text = read_file_end(node.guard_log(), last_words_bytes);
    if (text && !trim(*text).empty()) return split_lines(trim(*text)).back();
    return "no reason was given; see " + node.log().string();
}

Status end_processes(Path const& folder, std::span<std::string_view const> names) {
    for (int const number : {SIGQUIT, SIGKILL, SIGKILL}) {
        PGTANDEM_TRY(found, processes_in(folder, names));
        if (found.empty()) return {};
        for (auto const& process : found) {
            ::kill(process.pid, number);
            // One that was stopped takes no signal but SIGKILL until it goes on.
            ::kill(process.pid, SIGCONT);
        }
        auto const deadline = Deadline::in(5s);
        for (auto const& process : found) static_cast<void>(wait_for_end(process.pid, deadline));
    }
    PGTANDEM_TRY(left, processes_in(folder, names));
    if (left.empty()) return {};
    return fail("ending what was left", fmt::format("{} (process {})", left.front().name, left.front().pid), "it does not end");
}

Status end_leftover_servers(Path const& data) {
    constexpr std::string_view names[] = {"postgres"};
    return end_processes(data, names);
}

Status end_leftover_tools(NodePaths const& node) {
    constexpr std::string_view tools[] = {"initdb", "pg_basebackup", "pg_verifybackup"};
    PGTANDEM_CHECK(end_processes(node.folder, tools));
    return end_leftover_servers(node.clone());
}

}  // namespace pgtandem
