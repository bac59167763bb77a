// pgtandem status, verify, psql and config: looking, without changing.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "apps/commands.hpp"
#include "apps/signals.hpp"
#include "apps/wanted.hpp"
#include "base/text.hpp"
#include "cli/status.hpp"
#include "cli/terminal.hpp"
#include "cli/verify.hpp"
#include "instance/preflight.hpp"

namespace pgtandem::apps {

namespace {

constexpr auto watch_interval = 1s;

void print_status(api::ClusterStatus const& status, bool as_json) {
    fmt::print("{}", as_json ? to_json(status).dump(2) + "\n" : cli::render_status(status));
    std::fflush(stdout);
}

Result<int> watch_status(Cluster& cluster, bool as_json) {
    StopRequests stop;
    bool const on_terminal = cli::is_terminal(STDOUT_FILENO);
    do {
        PGTANDEM_CHECK(load(cluster));
        auto const status = cli::collect_status(topology_of(cluster));
        if (as_json) {
            fmt::print("{}\n", to_json(status).dump());
        } else {
            if (on_terminal) fmt::print("\033[H\033[2J");
            print_status(status, false);
        }
        std::fflush(stdout);
    } while (!stop.wait_for(watch_interval));
    return 0;
}

tl::unexpected<Error> is_down(Cluster const& cluster, std::string const& command) {
    return fail(command, cluster.paths.folder.string(), "the cluster is down", "pgtandem up");
}

Result<std::string> find_psql(cluster::ClusterState const& state, cli::Settings const& settings) {
    if (auto const programs = programs_for(state, settings)) {
        auto const psql = *programs / "psql";
        if (::access(psql.c_str(), X_OK) == 0) return psql.string();
    }
    char const* const path = std::getenv("PATH");
    for (auto const& folder : split(path != nullptr ? path : "", ':')) {
        auto const psql = Path(folder) / "psql";
        if (::access(psql.c_str(), X_OK) == 0) return psql.string();
    }
    return fail("looking for psql", "PATH", "it is not there", "apt-get install postgresql-client");
}

std::string shown(std::string const& value) { return value.empty() ? "-" : value; }

void print_settings(cli::Settings const& settings, bool as_json) {
    std::vector<std::vector<std::string>> rows{{"SETTING", "VALUE", "FROM"}};
    auto json = nlohmann::json::object();
    auto const add = [&](std::string const& name, cli::Setting const& setting) {
        rows.push_back({name, shown(setting.value), setting.source});
        json[name] = {{"value", setting.value}, {"source", setting.source}};
    };
    for (auto const& [name, setting] : settings.all()) add(name, setting);
    for (auto const& [name, setting] : settings.postgresql()) add("postgresql." + name, setting);
    fmt::print("{}", as_json ? json.dump(2) + "\n" : cli::render_table(rows));
}

// All that `up` would check of its settings.
Status check_all(cluster::ClusterState const& present, cli::Settings const& settings) {
    PGTANDEM_CHECK(given_credentials(settings)
                       .and_then([](auto const& given) { return make_credentials(given); })
                       .map([](auto const&) {}));
    PGTANDEM_TRY(owner, owner_user());
    PGTANDEM_CHECK(work_as(owner));
    PGTANDEM_TRY(programs, programs_for(present, settings));
    PGTANDEM_TRY(wanted, wanted_state(present, settings, false));
    auto scratch = std::filesystem::temp_directory_path();
    return check_settings(programs, scratch, wanted.postgresql);
}

// Whom psql is to connect to: the endpoint, or the node that was named.
Result<Conninfo> psql_target(api::Topology const& topology, cli::CommandLine const& line) {
    bool const names_none = !line.has("primary") && !line.has("replica");
    if (names_none && topology.endpoint && topology.up_process != 0) return *topology.endpoint;
    auto const* const node = line.has("replica") ? topology.find(line.value("replica")) : &topology.primary();
    if (node == nullptr) {
        std::vector<std::string> names;
        for (auto const& known : topology.nodes) names.push_back(known.name);
        auto const guess = did_you_mean(line.value("replica"), names);
        return usage_error("connecting", line.value("replica"), "there is no such node", guess.empty() ? "pgtandem status" : guess);
    }
    if (node->process == "stopped") return fail("connecting", node->name, "it is stopped", "pgtandem up");
    return node->user;
}

}  // namespace

Result<int> status(cli::CommandLine const& line) {
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(cluster, open_cluster(settings));
    if (line.has("watch")) return watch_status(cluster, line.has("json"));
    auto const status = cli::collect_status(topology_of(cluster));
    print_status(status, line.has("json"));
    if (status.state == "down") return is_down(cluster, "showing the status");
    return 0;
}

Result<int> verify(cli::CommandLine const& line) {
    PGTANDEM_TRY(settings, gather_settings(line));
    PGTANDEM_TRY(cluster, open_cluster(settings));
    auto const topology = topology_of(cluster);
    if (cli::collect_status(topology).state == "down") return is_down(cluster, "verifying");
    bool const as_json = line.has("json");
    auto const checks = cli::verify(topology, [&](api::Check const& check) {
        if (as_json) return;
        fmt::print("{}", cli::render_check(check));
        std::fflush(stdout);
    });
    auto const failed = std::ranges::count_if(checks, [](auto const& check) { return !check.passed; });
    if (as_json) {
        fmt::print("{}\n", to_json(checks).dump(2));
    } else {
        fmt::print("\n{} of {} checks passed\n", static_cast<std::ptrdiff_t>(checks.size()) - failed, checks.size());
    }
    return failed == 0 ? 0 : 1;
}

Result<int> psql(cli::CommandLine const& line) {
    PGTANDEM_TRY(settings, gather_settings(line));
    // Not as the owner: files that \copy and \i name are the caller's.
    Cluster cluster(settings.path("dir"));
    if (!is_there(cluster.paths.store())) {
        return fail("looking for the cluster", cluster.paths.folder.string(), "there is none",
                    "pgtandem up, or another --dir");
    }
    PGTANDEM_CHECK(load(cluster));
    auto const topology = topology_of(cluster);
    if (line.has("primary") && line.has("replica")) {
        return usage_error("reading the command line", "pgtandem psql", "--primary and --replica exclude each other");
    }
    PGTANDEM_TRY(target, psql_target(topology, line));
    settings.add_remembered(remembered(cluster.state), {});
    PGTANDEM_TRY(program, find_psql(cluster.state, settings));
    auto const uri = to_uri(target);
    std::vector<char const*> words{"psql", uri.c_str()};
    for (auto const& word : line.rest) words.push_back(word.c_str());
    words.push_back(nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(program.c_str(), const_cast<char* const*>(words.data()));
    return fail_errno("starting psql", program);
}

Result<int> config(cli::CommandLine const& line) {
    if (line.arguments.size() != 1 || (line.arguments[0] != "show" && line.arguments[0] != "check")) {
        return usage_error("reading the command line", "pgtandem config", "it takes show or check",
                           "pgtandem config show");
    }
    PGTANDEM_TRY(settings, gather_settings(line));
    Cluster cluster(settings.path("dir"));
    if (is_there(cluster.paths.store())) {
        PGTANDEM_CHECK(load(cluster));
        settings.add_remembered(remembered(cluster.state), cluster.state.postgresql);
    }
    if (line.arguments[0] == "show") {
        print_settings(settings, line.has("json"));
        return 0;
    }
    PGTANDEM_CHECK(check_all(cluster.state, settings));
    fmt::print("the settings are in order\n");
    return 0;
}

}  // namespace pgtandem::apps
