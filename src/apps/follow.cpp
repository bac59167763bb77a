#include "apps/follow.hpp"

#include <unistd.h>

#include <algorithm>

#include "cli/terminal.hpp"

namespace pgtandem::apps {

namespace {

// An agent tries again; a fault that lasts this long does not go away on its own.
constexpr int most_failures = 3;
constexpr auto redraw_interval = 100ms;
constexpr auto endpoint_patience = 30s;

std::vector<cli::NodeProgress> progress_of(Cluster const& cluster,
                                           std::map<std::string, cluster::NodeReport> const& reports) {
    std::vector<cli::NodeProgress> nodes;
    for (auto const& [name, entry] : cluster.state.nodes) {
        auto const found = reports.find(name);
        if (found == reports.end()) continue;
        auto const& report = found->second;
        nodes.push_back({name, name == cluster.state.primary ? "primary" : "replica", report.phase, report.detail,
                         report.error, report.done_bytes, report.total_bytes, report.seconds, report.ready});
    }
    return nodes;
}

bool holds_commits(Cluster const& cluster, Snapshot const& store) {
    if (cluster.state.durability == cluster::Durability::async) return true;
    auto const found = store.keys.find("sync");
    auto const held = found == store.keys.end() ? 0 : found->second.value.size();
    return held == cluster.state.replica_count();
}

bool all_ready(Cluster const& cluster, std::map<std::string, cluster::NodeReport> const& reports,
               std::uint64_t revision) {
    return std::ranges::all_of(cluster.state.nodes, [&](auto const& node) {
        auto const report = reports.find(node.first);
        return node.second.removed ||
               (report != reports.end() && report->second.ready &&
                report->second.generation >= node.second.generation && report->second.settled_revision >= revision);
    });
}

}  // namespace

cli::Progress progress_from_now(Cluster const& cluster) {
    cli::Progress progress(cli::is_terminal(STDOUT_FILENO));
    progress.skip(progress_of(cluster, node_reports(cluster)));
    return progress;
}

Status follow_until_ready(Cluster& cluster, cli::Progress& progress, std::function<bool()> const& cancelled) {
    for (;;) {
        PGTANDEM_TRY(snapshot, cluster.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        cluster.state = state;
        PGTANDEM_TRY(said, cluster.reports.read());
        auto const reports = node_reports(cluster);
        progress.show(progress_of(cluster, reports));
        // Settings are of the key "cluster"; other keys change all the time.
        auto const revision = snapshot.keys.at("cluster").revision;
        if (all_ready(cluster, reports, revision) && holds_commits(cluster, snapshot)) break;
        for (auto const& [name, report] : reports) {
            if (report.failures < most_failures || !cluster.state.nodes.contains(name)) continue;
            progress.finish();
            return fail(Error{"bringing up " + name, "", report.error, report.hint});
        }
        if (cancelled()) {
            progress.finish();
            return fail(Error{"bringing up the cluster", "", "stopped", "", ErrorKind::stopped});
        }
        PGTANDEM_TRY(process, up_process(cluster));
        if (!process) return fail("bringing up the cluster", "", "its process has ended", "pgtandem up");
        static_cast<void>(FileStore::wait_for_any_change(
            {{&cluster.store, snapshot.revision}, {&cluster.reports, said.revision}}, Deadline::in(redraw_interval)));
    }
    progress.finish();
    return {};
}

Status follow_until_endpoint_has_settings(Cluster const& cluster, std::function<bool()> const& cancelled) {
    constexpr char const* what = "changing the endpoint's settings";
    PGTANDEM_TRY(snapshot, cluster.store.read());
    auto const wanted = snapshot.keys.at("cluster").revision;
    auto const deadline = Deadline::in(endpoint_patience);
    for (;;) {
        PGTANDEM_TRY(said, cluster.reports.read());
        auto const up = said.keys.find("up");
        if (up == said.keys.end() || !up->second.value.contains("endpoint_revision")) return {};  // it has ended, or is of another version
        if (up->second.value.value("endpoint_revision", std::uint64_t{0}) >= wanted) {
            auto const error = up->second.value.value("endpoint_error", "");
            if (error.empty()) return {};
            return fail(what, "", error);
        }
        if (deadline.passed()) return fail(what, "", "the pgtandem that runs it has not taken them", "pgtandem status");
        if (cancelled()) return fail(Error{what, "", "stopped", "", ErrorKind::stopped});
        static_cast<void>(cluster.reports.wait_for_change(said.revision, Deadline::in(redraw_interval)));
    }
}

Status follow_until_removed(Cluster& cluster, std::string const& name, std::function<bool()> const& cancelled) {
    for (;;) {
        PGTANDEM_TRY(snapshot, cluster.store.read());
        PGTANDEM_TRY(state, read_state(snapshot));
        cluster.state = state;
        if (!state.nodes.contains(name)) return {};
        if (cancelled()) {
            return fail(Error{"removing " + name, "", "stopped waiting; it goes on", "", ErrorKind::stopped});
        }
        PGTANDEM_TRY(process, up_process(cluster));
        if (!process) {
            return fail("removing " + name, "", "the cluster went down; it goes on at the next up", "pgtandem up");
        }
        static_cast<void>(cluster.store.wait_for_change(snapshot.revision, Deadline::in(redraw_interval)));
    }
}

}  // namespace pgtandem::apps
