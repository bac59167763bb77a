// pgtandem down and reset: stopping all of it, and removing it.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "apps/cluster.hpp"
#include "apps/commands.hpp"
#include "apps/signals.hpp"
#include "base/text.hpp"
#include "cli/terminal.hpp"
#include "instance/data_folders.hpp"
#include "instance/preflight.hpp"
#include "instance/server.hpp"
#include "io/lock_file.hpp"
#include "io/processes.hpp"

namespace pgtandem::apps {

namespace {

constexpr auto look_interval = 100ms;
constexpr auto reminder_interval = 10s;

// Waits until 'is_done', saying now and then what for.
Status wait_until(std::function<Result<bool>()> const& is_done, std::string const& what, StopRequests& stop) {
    auto remind = Deadline::in(reminder_interval);
    for (;;) {
        PGTANDEM_TRY(done, is_done());
        if (done) return {};
        if (stop.wait_for(look_interval)) {
            return fail(what, "", "stopped waiting; it goes on by itself", "pgtandem status");
        }
        if (!remind.passed()) continue;
        fmt::print("{}: still at it; a server writes out what it holds before it ends\n", what);
        std::fflush(stdout);
        remind = Deadline::in(reminder_interval);
    }
}

std::vector<std::string> node_names(ClusterPaths const& paths, std::string const& primary) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(paths.nodes(), error), end; !error && entry != end;
         entry.increment(error)) {
        auto const name = entry->path().filename().string();
        names.insert(name == primary ? names.begin() : names.end(), name);
    }
    return names;
}

// The process that keeps the cluster running ends it all itself.
Result<bool> stop_up(ClusterPaths const& paths, StopRequests& stop) {
    PGTANDEM_TRY(holder, LockFile::holder(paths.up_lock()));
    if (!holder) return false;
    auto asked = *holder;
    if (asked > 0) ::kill(asked, SIGTERM);
    PGTANDEM_CHECK(wait_until(
        [&]() -> Result<bool> {
            PGTANDEM_TRY(now, LockFile::holder(paths.up_lock()));
            // The name may come a moment after the lock.
            if (now && *now > 0 && asked == 0) ::kill(asked = *now, SIGTERM);
            return !now || (asked > 0 && *now != asked);
        },
        "stopping the cluster", stop));
    return true;
}

// Servers whose pgtandem was killed: the primary first, so that the replicas get its last record.
Result<bool> stop_unattended(ClusterPaths const& paths, std::string const& primary, StopRequests& stop) {
    bool any = false;
    for (auto const& name : node_names(paths, primary)) {
        auto const node = paths.node(name);
        auto const has_stopped = [&] {
            return observe_server(node).map([](auto const& server) { return server.state == ServerState::stopped; });
        };
        PGTANDEM_TRY(is_stopped, has_stopped());
        if (!is_stopped) {
            any = true;
            PGTANDEM_CHECK(ask_server_to_stop(node));
            PGTANDEM_CHECK(wait_until(has_stopped, "stopping " + name, stop));
        }
        PGTANDEM_CHECK(end_leftover_servers(node.data()));
        PGTANDEM_CHECK(end_leftover_tools(node));
    }
    return any;
}

Result<bool> stop_all(ClusterPaths const& paths, StopRequests& stop) {
    std::string primary;
    if (auto const snapshot = FileStore(paths.store()).read()) {
        if (auto const state = read_state(*snapshot)) primary = state->primary;
    }
    PGTANDEM_TRY(was_up, stop_up(paths, stop));
    PGTANDEM_TRY(was_unattended, stop_unattended(paths, primary, stop));
    return was_up || was_unattended;
}

// As the owner of the cluster in that folder. Works also where its state cannot be read.
Result<ClusterPaths> enter_cluster_folder(cli::Settings const& settings) {
    ClusterPaths paths{settings.path("dir")};
    PGTANDEM_TRY(owner, owner_user());
    PGTANDEM_TRY(is_ours, look_at_folder(paths, owner));
    if (!is_ours) return fail("looking for the cluster", paths.folder.string(), "there is none", "another --dir");
    PGTANDEM_CHECK(work_as(owner));
    return paths;
}

// The store goes last: until then the folder is known as ours, and a reset that was killed can be given again.
Status remove_cluster(ClusterPaths const& paths) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(paths.folder, error), end; !error && entry != end;
         entry.increment(error)) {
        if (entry->path() != paths.store() && entry->path() != paths.up_lock()) {
            PGTANDEM_CHECK(remove_with_data(entry->path()));
        }
    }
    PGTANDEM_CHECK(remove_socket_folder(paths));
    PGTANDEM_CHECK(remove_tree(paths.store()));
    PGTANDEM_CHECK(remove_tree(paths.up_lock()));
    // Its parent may not be ours to change; then an empty folder stays.
    ::rmdir(paths.folder.c_str());
    return {};
}

}  // namespace

Result<int> down(cli::CommandLine const& line) {
    StopRequests stop;
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(paths, enter_cluster_folder(settings));
    auto const begun = Clock::now();
    PGTANDEM_TRY(ran, stop_all(paths, stop));
    if (ran) {
        fmt::print("the cluster in {} is down, after {}\n", paths.folder.string(),
                   human_duration(Clock::now() - begun));
    } else {
        fmt::print("the cluster in {} is down already\n", paths.folder.string());
    }
    return 0;
}

Result<int> reset(cli::CommandLine const& line) {
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(paths, enter_cluster_folder(settings));
    auto const question = fmt::format("Remove the cluster in {} with all its data ({})?", paths.folder.string(),
                                      human_bytes(disk_usage(paths.folder)));
    if (!line.has("yes") && !cli::ask(question)) {
        return fail("removing the cluster", paths.folder.string(), "not confirmed, nothing was changed",
                    "pgtandem reset --yes");
    }
    StopRequests stop;
    PGTANDEM_CHECK(stop_all(paths, stop));
    PGTANDEM_TRY(lock, LockFile::try_take(paths.up_lock()));
    if (!lock) {
        return fail("removing the cluster", paths.folder.string(), "another pgtandem has just started it",
                    "the same again");
    }
    PGTANDEM_CHECK(remove_cluster(paths));
    fmt::print("removed {}\n", paths.folder.string());
    return 0;
}

}  // namespace pgtandem::apps
