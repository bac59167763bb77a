// pgtandem replica add, remove and reinit; and the guard, which is not for users.
#include <fmt/format.h>
#include <unistd.h>

#include "agent/guard.hpp"
#include "apps/commands.hpp"
#include "apps/follow.hpp"
#include "apps/signals.hpp"
#include "apps/wanted.hpp"
#include "base/text.hpp"
#include "cli/proof.hpp"
#include "cli/terminal.hpp"

namespace pgtandem::apps {

namespace {

constexpr auto proof_patience = 30s;

Status finish(Cluster& cluster, cli::Progress progress, StopRequests& stop) {
    PGTANDEM_CHECK(follow_until_ready(cluster, progress, [&] { return stop.came(); }));
    auto const topology = topology_of(cluster);
    auto const begun = Clock::now();
    PGTANDEM_TRY(proof, cli::prove_replication(topology, Deadline::in(proof_patience)));
    progress.step("proof", Clock::now() - begun, describe(proof, topology));
    return {};
}

Status must_be_replica(cluster::ClusterState const& state, std::string const& name) {
    std::vector<std::string> names;
    for (auto const& [known, entry] : state.nodes) {
        if (known != state.primary && !entry.removed) names.push_back(known);
    }
    if (name == state.primary) return fail("changing the replica", name, "it is the primary");
    if (std::ranges::find(names, name) != names.end()) return {};
    auto const guess = did_you_mean(name, names);
    return usage_error("changing the replica", name, "there is no such replica",
                       guess.empty() ? "pgtandem status" : guess);
}

Status forget_node(Cluster& cluster, std::string const& name) {
    return change_state(cluster.store, [&](cluster::ClusterState& state) -> Status {
        if (state.nodes.contains(name)) state.nodes.at(name).removed = true;
        return {};
    });
}

Result<int> add(Cluster& cluster, cli::Settings& settings, std::string const& wanted_name, StopRequests& stop) {
    settings.add_remembered(remembered(cluster.state), cluster.state.postgresql);
    PGTANDEM_TRY(programs, programs_for(cluster.state, settings));
    std::string name;
    auto const progress = progress_from_now(cluster);
    PGTANDEM_CHECK(change_state(cluster.store, [&](cluster::ClusterState& state) -> Status {
        constexpr std::size_t most_replicas = 64;
        if (state.replica_count() >= most_replicas) {
            return fail("adding a replica", cluster.paths.folder.string(), "it has 64, the most there can be");
        }
        auto wanted = state;
        PGTANDEM_TRY(added, add_node(wanted, wanted_name));
        PGTANDEM_CHECK(check_wanted(cluster, wanted, programs, true));
        name = added;
        state = wanted;
        return {};
    }));
    if (auto const done = finish(cluster, progress, stop); !done) {
        PGTANDEM_CHECK(forget_node(cluster, name));
        return fail(done.error());
    }
    fmt::print("added {} on port {}\n", name, cluster.state.nodes.at(name).port);
    return 0;
}

Result<int> remove(Cluster& cluster, std::string const& name, StopRequests& stop) {
    PGTANDEM_CHECK(change_state(cluster.store, [&](cluster::ClusterState& state) -> Status {
        PGTANDEM_CHECK(must_be_replica(state, name));
        if (state.durability == cluster::Durability::strict && state.replica_count() == 1) {
            return fail("removing the replica", name, "with durability strict no commit would end without it",
                        "pgtandem up --durability sync");
        }
        state.nodes.at(name).removed = true;
        return {};
    }));
    PGTANDEM_CHECK(follow_until_removed(cluster, name, [&] { return stop.came(); }));
    fmt::print("removed {}\n", name);
    return 0;
}

Result<int> reinit(Cluster& cluster, std::string const& name, StopRequests& stop) {
    auto const progress = progress_from_now(cluster);
    PGTANDEM_CHECK(change_state(cluster.store, [&](cluster::ClusterState& state) -> Status {
        PGTANDEM_CHECK(must_be_replica(state, name));
        ++state.nodes.at(name).generation;
        return {};
    }));
    PGTANDEM_CHECK(finish(cluster, progress, stop));
    fmt::print("made {} anew\n", name);
    return 0;
}

}  // namespace

Result<int> replica(cli::CommandLine const& line) {
    auto const& words = line.arguments;
    auto const verb = words.empty() ? "" : words[0];
    bool const needs_name = verb == "remove" || verb == "reinit";
    if ((verb != "add" && !needs_name) || words.size() > 2 || (needs_name && words.size() != 2)) {
        return usage_error("reading the command line", "pgtandem replica",
                           "it takes add [NAME], remove NAME or reinit NAME", "pgtandem replica --help");
    }
    StopRequests stop;
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(cluster, open_running_cluster(settings, "changing the replicas"));
    auto const name = words.size() == 2 ? words[1] : "";
    if (verb == "add") return add(cluster, settings, name, stop);
    if (verb == "remove") return remove(cluster, name, stop);
    return reinit(cluster, name, stop);
}

Result<int> guard(cli::CommandLine const& line) {
    if (line.arguments.size() != 2) {
        return usage_error("starting a guard", "", "it takes a node's folder and a program");
    }
    return run_guard({line.arguments[0]}, line.arguments[1]);
}

}  // namespace pgtandem::apps
