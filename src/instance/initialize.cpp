#include "instance/initialize.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <future>
#include <map>

#include "base/text.hpp"
#include "instance/data_folders.hpp"
#include "io/subprocess.hpp"

namespace pgtandem {

namespace {

constexpr char const* generation_file = "pgtandem.generation";

Result<Outcome> run_to_end(Program const& program, StopSignal const& stop, OnErrors const& on_errors = {}) {
    PGTANDEM_TRY(outcome, run(program, stop, Deadline::never(), on_errors));
    if (outcome.status != 0) return fail("running", program.path.filename().string(), explain(outcome));
    return outcome;
}

// A file that is there only as long as this object.
class PasswordFile {
public:
    PasswordFile(Path path, std::string const& password)
        : path_(std::move(path)), status_(write_file(path_, password)) {}
    PasswordFile(PasswordFile const&) = delete;
    PasswordFile& operator=(PasswordFile const&) = delete;
    ~PasswordFile() { ::unlink(path_.c_str()); }
    Status const& status() const { return status_; }
    Path const& path() const { return path_; }

private:
    Path path_;
    Status status_;
};

// Text files of a data folder that is not yet in its place; sync_folder() brings them to disk.
Status add_files(Path const& data, std::map<std::string, std::string> const& files) {
    for (auto const& [name, text] : files) PGTANDEM_CHECK(write_volatile_file(data / name, text));
    return {};
}

// Every file below, by the program that PostgreSQL has for it.
Status sync_folder(PgPrograms const& programs, NodePaths const& node, StopSignal const& stop) {
    Program const sync{programs / "initdb", {"--sync-only", "--pgdata=" + node.clone().string()}, {}, node.folder};
    return run_to_end(sync, stop).map([](auto const&) {});
}

// Removes what did not become whole, so that a full disk is not left full.
Status cleaned_up(Status failure, Path const& partial) {
    if (!failure) static_cast<void>(remove_with_data(partial));
    return failure;
}

Status fill_new_folder(PgPrograms const& programs, NodePaths const& node, std::string const& settings,
                       std::string const& hba, Credentials const& credentials, StopSignal const& stop) {
    PasswordFile const password(node.folder / "initdb.password", credentials.admin_password);
    PGTANDEM_CHECK(password.status());
    Program const initdb{programs / "initdb",
                         {"--pgdata=" + node.clone().string(), "--username=" + std::string(admin_role),
                          "--pwfile=" + password.path().string(), "--auth=scram-sha-256", "--data-checksums",
                          "--encoding=UTF8", "--locale=C.UTF-8", "--lc-messages=C", "--no-sync", "--no-instructions"},
                         {},
                         node.folder};
    PGTANDEM_CHECK(run_to_end(initdb, stop));
    PGTANDEM_TRY(users, read_file(node.clone() / "postgresql.conf"));
    PGTANDEM_CHECK(add_files(node.clone(), {{"postgresql.conf", users + "\n" + include_line},
                                            {our_settings_file, settings},
                                            {"pg_hba.conf", hba},
                                            {generation_file, "1\n"}}));
    PGTANDEM_CHECK(sync_folder(programs, node, stop));
    return move_durably(node.clone(), node.data());
}

std::vector<std::string> basebackup_arguments(NodePaths const& node, CloneSource const& source, int generation) {
    std::vector<std::string> arguments{"--pgdata=" + node.clone().string(),
                                       "--dbname=" + to_keywords(source.primary),
                                       "--checkpoint=fast",
                                       "--wal-method=stream",
                                       "--no-sync",
                                       "--no-password",
                                       "--progress",
                                       "--verbose"};
    for (auto const& location : source.tablespace_locations) {
        auto const target = node.tablespaces(generation) / replace_all(location.substr(1), "/", "_");
        arguments.push_back(fmt::format("--tablespace-mapping={}={}", replace_all(location, "=", "\\="),
                                        replace_all(target.string(), "=", "\\=")));
    }
    return arguments;
}

// Cuts pg_basebackup's stderr into lines, also at the carriage returns that its progress ends with.
class ProgressLines {
public:
    explicit ProgressLines(std::function<void(CloneProgress)> const& on_progress) : on_progress_(on_progress) {}

    void operator()(std::string_view chunk) {
        for (char const letter : chunk) {
            if (letter != '\r' && letter != '\n') {
                line_ += letter;
                continue;
            }
            if (auto const progress = parse_progress(line_)) on_progress_(*progress);
            line_.clear();
        }
    }

private:
    std::function<void(CloneProgress)> const& on_progress_;
    std::string line_;
};

// The copy's WAL was streamed and is checked when the replica starts; the manifest covers every other file but those
// that are written anew for each node.
Status verify_copy(PgPrograms const& programs, NodePaths const& node, StopSignal const& stop) {
    Program const verify{
        programs / "pg_verifybackup",
        {"--no-parse-wal", fmt::format("--ignore={}", our_settings_file), fmt::format("--ignore={}", generation_file),
         node.clone().string()},
        {},
        node.folder};
    return run_to_end(verify, stop).map([](auto const&) {});
}

Status fill_clone(PgPrograms const& programs, NodePaths const& node, CloneSource const& source,
                  std::string const& settings, int generation, StopSignal const& stop,
                  std::function<void(CloneProgress)> const& on_progress) {
    Program const basebackup{
        programs / "pg_basebackup", basebackup_arguments(node, source, generation), {}, node.folder};
    ProgressLines lines(on_progress);
    PGTANDEM_CHECK(run_to_end(basebackup, stop, std::ref(lines)));
    PGTANDEM_CHECK(add_files(
        node.clone(),
        {{our_settings_file, settings}, {"standby.signal", ""}, {generation_file, std::to_string(generation) + "\n"}}));
    // One reads while the other waits for the disk.
    auto synced = std::async(std::launch::async, [&] { return sync_folder(programs, node, stop); });
    PGTANDEM_CHECK(verify_copy(programs, node, stop));
    PGTANDEM_CHECK(synced.get());
    return move_durably(node.clone(), node.ready());
}

}  // namespace

Status initialize(PgPrograms const& programs, NodePaths const& node, std::string const& settings,
                  std::string const& hba, Credentials const& credentials, StopSignal const& stop) {
    PGTANDEM_CHECK(remove_with_data(node.clone()));
    return cleaned_up(fill_new_folder(programs, node, settings, hba, credentials, stop), node.clone());
}

Status clone(PgPrograms const& programs, NodePaths const& node, CloneSource const& source, std::string const& settings,
             int generation, StopSignal const& stop, std::function<void(CloneProgress)> const& on_progress) {
    PGTANDEM_CHECK(remove_with_data(node.clone()));
    PGTANDEM_CHECK(remove_with_data(node.ready()));
    PGTANDEM_CHECK(remove_tree(node.tablespaces(generation)));
    auto filled = cleaned_up(fill_clone(programs, node, source, settings, generation, stop, on_progress), node.clone());
    return cleaned_up(std::move(filled), node.tablespaces(generation));
}

Status remove_older(NodePaths const& node, int generation) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(node.tablespaces(), error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path() != node.tablespaces(generation)) PGTANDEM_CHECK(remove_tree(entry->path()));
    }
    return remove_with_data(node.old());
}

Status install_clone(NodePaths const& node) {
    PGTANDEM_TRY(is_replaced, look_for(node.data()));
    if (is_replaced) {
        PGTANDEM_CHECK(remove_with_data(node.old()));
        PGTANDEM_CHECK(move_durably(node.data(), node.old()));
    }
    return move_durably(node.ready(), node.data());
}

Result<int> data_generation(NodePaths const& node) {
    PGTANDEM_TRY(has_data, look_for(node.data()));
    if (!has_data) return 0;
    PGTANDEM_TRY(text, read_file_if_there(node.data() / generation_file));
    int generation = 1;
    if (text) std::from_chars(text->data(), text->data() + text->size(), generation);
    return generation;
}

Result<bool> settings_are_current(Path const& data, std::string const& settings, bool is_replica) {
    PGTANDEM_TRY(present, read_file_if_there(data / our_settings_file));
    PGTANDEM_TRY(has_signal, look_for(data / "standby.signal"));
    return present && *present == settings && has_signal == is_replica;
}

Result<bool> write_settings(Path const& data, std::string const& settings, bool is_replica) {
    PGTANDEM_TRY(is_current, settings_are_current(data, settings, is_replica));
    if (is_current) return false;
    PGTANDEM_CHECK(write_file(data / our_settings_file, settings));
    // Never taken away: what makes a replica a primary is a promotion.
    if (is_replica && !is_there(data / "standby.signal")) PGTANDEM_CHECK(write_file(data / "standby.signal", ""));
    return true;
}

Result<std::map<std::string, int>> replayed_limits(PgPrograms const& programs, Path const& data) {
    // pg_controldata's word for each setting.
    static std::map<std::string, std::string> const words{{"max_connections", "max_connections"},
                                                          {"max_worker_processes", "max_worker_processes"},
                                                          {"max_wal_senders", "max_wal_senders"},
                                                          {"max_prepared_transactions", "max_prepared_xacts"},
                                                          {"max_locks_per_transaction", "max_locks_per_xact"}};
    StopSignal const never;
    PGTANDEM_TRY(outcome, run_to_end({programs / "pg_controldata", {"-D", data.string()}}, never));
    std::map<std::string, int> limits;
    for (auto const& line : split_lines(outcome.output)) {
        for (auto const& [setting, word] : words) {
            auto const start = word + " setting:";
            if (line.starts_with(start)) limits[setting] = std::atoi(line.c_str() + start.size());
        }
    }
    return limits;
}

std::optional<CloneProgress> parse_progress(std::string_view line) {
    line = trim(line);
    auto const slash = line.find('/');
    auto const unit = line.find(" kB");
    if (slash == std::string_view::npos || unit == std::string_view::npos || unit < slash) return std::nullopt;
    CloneProgress progress{};
    auto const done = std::from_chars(line.data(), line.data() + slash, progress.done_bytes);
    auto const total = std::from_chars(line.data() + slash + 1, line.data() + unit, progress.total_bytes);
    if (done.ec != std::errc{} || done.ptr != line.data() + slash) return std::nullopt;
    if (total.ec != std::errc{} || total.ptr != line.data() + unit) return std::nullopt;
    progress.done_bytes *= 1024;
    progress.total_bytes *= 1024;
    return progress;
}

}  // namespace pgtandem
