#include "instance/preflight.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/random.hpp"
#include "base/text.hpp"
#include "io/processes.hpp"
#include "io/subprocess.hpp"
#include "pg/quoting.hpp"

namespace pgtandem {

namespace fs = std::filesystem;

namespace {

// What a first `up` that was killed early may have left without a store.
constexpr auto early_files = std::to_array<std::string_view>({"up.lock",
                                                              "credentials.env",
                                                              "internal.env",
                                                              "pgpass",
                                                              "replication.pgpass",
                                                              "credentials.env.new",
                                                              "internal.env.new",
                                                              "pgpass.new",
                                                              "replication.pgpass.new",
                                                              "store.json.new",
                                                              "store.json.lock",
                                                              "log",
                                                              "run",
                                                              "archive",
                                                              "archive_wal.sh",
                                                              "archive_wal.sh.new",
                                                              "reports.json",
                                                              "reports.json.new",
                                                              "reports.json.lock",
                                                              "nodes"});

// A node's room: its first WAL, and what PostgreSQL keeps for more (min_wal_size).
constexpr std::uint64_t least_node_bytes = 128 << 20;

bool others_may_write(struct stat const& info) { return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0; }

Status check_owner(Path const& folder, SystemUser const& owner) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return fail_errno("looking at the folder", folder.string());
    if (!S_ISDIR(info.st_mode)) {
        return fail("looking at the folder", folder.string(), "it is not a folder", "another --dir");
    }
    bool const is_roots_own = ::geteuid() == 0 && info.st_uid == 0 && fs::is_empty(folder);
    if (info.st_uid != owner.uid && !is_roots_own) {
        return fail("looking at the folder", folder.string(),
                    fmt::format("it belongs to user {}, the servers run as {}", user_name(info.st_uid), owner.name),
                    "another --dir, or the command as that user");
    }
    if (others_may_write(info)) {
        return fail("looking at the folder", folder.string(), "other users may write to it",
                    "chmod go-w " + folder.string());
    }
    return {};
}

// A link counts as what it is: where it leads may change.
Status check_socket_folder(Path const& folder) {
    constexpr auto what = "looking at the folder for the servers' sockets";
    constexpr auto hint = "remove it, or a --dir with a shorter path: then the sockets lie in it";
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0) return fail_errno(what, folder.string());
    if (!S_ISDIR(info.st_mode)) return fail(what, folder.string(), "it is not a folder", hint);
    if (info.st_uid != ::geteuid()) {
        return fail(what, folder.string(), fmt::format("it belongs to user {}", user_name(info.st_uid)), hint);
    }
    if (others_may_write(info)) return fail(what, folder.string(), "other users may write to it", hint);
    return {};
}

Status look_at_contents(Path const& folder) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        auto const name = entry->path().filename().string();
        bool const is_early = std::ranges::find(early_files, name) != early_files.end();
        if (is_early && (name != "nodes" || fs::is_empty(entry->path()))) continue;
        return fail("looking at the folder", folder.string(),
                    fmt::format("it is not empty ({} is there) and holds no pgtandem cluster", name), "another --dir");
    }
    if (error) return fail("looking at the folder", folder.string(), error.message());
    return {};
}

// PostgreSQL says "FATAL:  ..." or "LOG:  ..." and then which file: only the first is of use. The file that it misses is one
// of those that a folder has only after initdb.
std::string postgres_words(Outcome const& outcome) {
    for (auto const& line : split_lines(outcome.errors)) {
        if (line.find("skipping missing configuration file") != std::string::npos) continue;
        for (auto const* level : {"FATAL:  ", "ERROR:  ", "LOG:  ", "postgres: "}) {
            auto const at = line.find(level);
            if (at != std::string::npos) {
                return replace_all(line.substr(at + std::string_view(level).size()), "\"", "'");
            }
        }
    }
    return explain(outcome);
}

class ScratchFolder {
public:
    explicit ScratchFolder(Path const& parent) : path_(parent / (".check-" + random_word(8))) {}
    ScratchFolder(ScratchFolder const&) = delete;
    ScratchFolder& operator=(ScratchFolder const&) = delete;
    ~ScratchFolder() { static_cast<void>(remove_tree(path_)); }
    Path const& path() const { return path_; }

private:
    Path path_;
};

// A setting's name that PostgreSQL knows and that is near to this one.
std::string nearest_setting(PgPrograms const& programs, std::string const& name) {
    StopSignal const never;
    auto const outcome = run({programs / "postgres", {"--describe-config"}}, never, Deadline::in(30s));
    std::vector<std::string> known;
    if (outcome) {
        for (auto const& line : split_lines(outcome->output)) known.push_back(line.substr(0, line.find('\t')));
    }
    return did_you_mean(name, known);
}

// The folders PostgreSQL looks for when it only checks (src/bin/initdb/initdb.c lists them).
Status make_data_skeleton(Path const& folder) {
    for (auto const* name : {"base", "global", "pg_commit_ts", "pg_dynshmem", "pg_logical", "pg_multixact/members",
                             "pg_multixact/offsets", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat",
                             "pg_stat_tmp", "pg_subtrans", "pg_tblspc", "pg_twophase", "pg_wal", "pg_xact"}) {
        PGTANDEM_CHECK(make_directory(folder / name));
    }
    return {};
}

Status run_postgres(PgPrograms const& programs, Path const& folder, std::vector<std::string> arguments) {
    StopSignal const never;
    Program const postgres{programs / "postgres", std::move(arguments), {}, folder};
    PGTANDEM_TRY(outcome, run(postgres, never, Deadline::in(60s)));
    if (outcome.status != 0) return usage_error("checking the settings", "PostgreSQL", postgres_words(outcome));
    return {};
}

}  // namespace

Result<bool> look_at_folder(ClusterPaths const& paths, SystemUser const& owner) {
    if (!is_there(paths.folder)) return false;
    PGTANDEM_CHECK(check_owner(paths.folder, owner));
    if (is_there(paths.store())) return true;
    PGTANDEM_CHECK(look_at_contents(paths.folder));
    return false;
}

Status make_folder(ClusterPaths const& paths, SystemUser const& owner) {
    PGTANDEM_CHECK(make_directory(paths.folder));
    if (::geteuid() == 0 && ::chown(paths.folder.c_str(), owner.uid, owner.gid) != 0) {
        return fail_errno("giving the folder to " + owner.name, paths.folder.string());
    }
    return {};
}

Status make_socket_folder(ClusterPaths const& paths) {
    if (!is_there(paths.sockets())) PGTANDEM_CHECK(make_directory(paths.sockets()));
    return check_socket_folder(paths.sockets());
}

Status remove_socket_folder(ClusterPaths const& paths) {
    if (!check_socket_folder(paths.sockets())) return {};
    return remove_tree(paths.sockets());
}

Status check_port(std::string const& node, std::string const& listen, std::uint16_t port) {
    for (auto const& address : split(listen_addresses(listen), ',')) {
        if (auto const why = why_port_is_taken(std::string(trim(address)), port)) {
            return fail("checking the port for " + node, fmt::format("{}:{}", trim(address), port), *why,
                        "--port with another");
        }
    }
    return {};
}

std::uint64_t data_bytes(Path const& data) {
    auto total = disk_usage(data);
    std::error_code error;
    for (fs::directory_iterator entry(data / "pg_tblspc", error), end; !error && entry != end; entry.increment(error)) {
        std::error_code no_link;
        auto const target = fs::read_symlink(entry->path(), no_link);
        if (!no_link) total += disk_usage(target);
    }
    return total;
}

Status check_disk(ClusterPaths const& paths, std::uint64_t primary_bytes, std::size_t new_nodes) {
    PGTANDEM_TRY(free, disk_free(paths.folder));
    auto const needed = new_nodes * std::max(least_node_bytes, primary_bytes + primary_bytes / 10);
    if (free >= needed) return {};
    return fail("checking the disk", paths.folder.string(),
                fmt::format("{} are free, {} are needed", human_bytes(free), human_bytes(needed)),
                "a --dir with more room, or fewer --replicas");
}

Status check_settings(PgPrograms const& programs, Path const& scratch, Settings const& settings) {
    std::string text;
    for (auto const& [name, value] : settings) {
        auto const why = why_setting_is_kept(name, value);
        if (!why.empty()) return usage_error("checking the settings", name, "pgtandem sets it itself: " + why);
        text += fmt::format("{} = {}\n", name, quoted_setting(value));
    }
    ScratchFolder const folder(scratch);
    PGTANDEM_CHECK(make_directory(folder.path()));
    // Checked one by one first: what is wrong in the file would be said of every one of them.
    PGTANDEM_CHECK(write_file(folder.path() / "postgresql.conf", ""));
    PGTANDEM_CHECK(write_file(folder.path() / "PG_VERSION", std::to_string(programs.major) + "\n"));
    auto const data = folder.path().string();
    for (auto const& [name, value] : settings) {
        // One at a time, so that the message is about the right one.
        auto const taken =
            run_postgres(programs, folder.path(), {"-D", data, "-C", "port", fmt::format("--{}={}", name, value)});
        if (taken) continue;
        bool const is_unknown = taken.error().why.starts_with("unrecognized");
        return fail(Error(taken.error()).with_hint(is_unknown ? nearest_setting(programs, name) : ""));
    }
    PGTANDEM_CHECK(write_file(folder.path() / "postgresql.conf", text));
    PGTANDEM_CHECK(make_data_skeleton(folder.path()));
    // All together, as a server would start with them: memory and limits that do not fit show up here.
    return run_postgres(programs, folder.path(), {"--check", "-D", data, "-F"});
}

}  // namespace pgtandem
