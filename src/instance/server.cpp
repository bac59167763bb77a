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

Pidfile read_pidfile(NodePaths const& node) {
    Pidfile pidfile;
    auto const text = read_file(node.data() / "postmaster.pid");
    if (!text) return pidfile;
    auto const lines = split_lines(*text);
    if (lines.empty()) return pidfile;
    std::from_chars(lines[0].data(), lines[0].data() + lines[0].size(), pidfile.pid);
    if (lines.size() >= 8) pidfile.status = trim(lines[7]);
    return pidfile;
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
    auto const text = read_file(log);
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

ServerProcess observe_server(NodePaths const& node) {
    auto const guard = LockFile::holder(node.guard_lock());
    if (!guard) return {ServerState::stopped, 0, 0};
    auto const pidfile = read_pidfile(node);
    // The guard takes a stale postmaster.pid away before it starts the server, so what is there is this server's.
    bool const ready = pidfile.status == "ready" || pidfile.status == "standby";
    return {ready ? ServerState::running : ServerState::starting, *guard, pidfile.pid};
}

Result<pid_t> launch_server(PgPrograms const& programs, NodePaths const& node, Path const& socket,
                            Executable const& self) {
    PGTANDEM_CHECK(make_directory(node.log()));
    end_leftover_servers(node.data());
    // Nobody runs there now. The lock files that a killed server left could name a process id that somebody else has by
    // now, and PostgreSQL would then refuse to start.
    std::error_code ignored;
    for (auto const& stale : {node.data() / "postmaster.pid", Path(socket.string() + ".lock"), socket}) {
        fs::remove(stale, ignored);
    }
    Program const guard{
        "pgtandem", {"guard", node.folder.string(), (programs / "postgres").string()}, {}, node.folder, self.fd};
    PGTANDEM_TRY(pid, start_detached(guard, node.guard_log()));
    while (LockFile::holder(node.guard_lock()) != pid) {
        if (::waitpid(pid, nullptr, WNOHANG) == pid) return fail("starting the server", "", last_words(node));
        ::usleep(500);
    }
    return pid;
}

void ask_server_to_stop(NodePaths const& node) {
    if (auto const guard = observe_server(node).guard; guard > 0) ::kill(guard, SIGTERM);
}

std::string last_words(NodePaths const& node) {
    if (auto const words = last_fatal(node.guard_log()); !words.empty()) return words;
    if (auto const log = newest_log(node)) {
        if (auto words = last_fatal(*log); !words.empty()) return words + " (log: " + log->string() + ")";
    }
    auto const text = read_file(node.guard_log());
    if (text && !trim(*text).empty()) return split_lines(trim(*text)).back();
    return "no reason was given; see " + node.log().string();
}

void end_processes(Path const& folder, std::span<std::string_view const> names) {
    for (int const number : {SIGQUIT, SIGKILL, SIGKILL}) {
        auto const found = processes_in(folder, names);
        if (found.empty()) return;
        for (auto const& process : found) {
            ::kill(process.pid, number);
            // One that was stopped takes no signal but SIGKILL until it goes on.
            ::kill(process.pid, SIGCONT);
        }
        auto const deadline = Deadline::in(5s);
        for (auto const& process : found) static_cast<void>(wait_for_end(process.pid, deadline));
    }
}

void end_leftover_servers(Path const& data) {
    constexpr std::string_view names[] = {"postgres"};
    end_processes(data, names);
}

void end_leftover_tools(NodePaths const& node) {
    constexpr std::string_view tools[] = {"initdb", "pg_basebackup", "pg_verifybackup"};
    end_processes(node.folder, tools);
    end_leftover_servers(node.clone());
}

}  // namespace pgtandem
