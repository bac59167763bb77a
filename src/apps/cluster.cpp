#include "apps/cluster.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "apps/endpoint.hpp"
#include "base/text.hpp"
#include "instance/configuration.hpp"
#include "instance/preflight.hpp"
#include "instance/server.hpp"
#include "io/lock_file.hpp"

namespace pgtandem::apps {

namespace {

// The agent's, between starts that come to nothing.
constexpr char const* waiting_phase = "wait to start";

constexpr std::uint64_t segment_bytes = 16 << 20;

// Where a client on this machine reaches a server that listens there.
std::string client_host(std::string const& listen) {
    if (is_loopback(listen)) return std::string(trim(split(listen, ',')[0]));
    return "127.0.0.1";
}

std::string process_word(ServerState state) {
    switch (state) {
        case ServerState::stopped: return "stopped";
        case ServerState::starting: return "starting";
        case ServerState::running: return "running";
    }
    return "";
}

api::Node node_of(Cluster const& cluster, std::string const& name, cluster::NodeEntry const& entry) {
    auto const& credentials = cluster.credentials;
    api::Node node{};
    node.name = name;
    node.is_primary = name == cluster.state.primary;
    node.user = {client_host(cluster.state.listen), entry.port, credentials.user, credentials.database};
    node.user.passfile = cluster.paths.passfile().string();
    node.monitor = own_conninfo(cluster.paths, credentials, monitor_role, entry.port);
    node.replication =
        replication_conninfo(cluster.paths, cluster.state.nodes.at(cluster.state.primary).port, name + "_check");
    node.replication.replication = true;
    node.data = cluster.paths.node(name).data();
    auto const server = observe_server(cluster.paths.node(name));
    node.process = server ? process_word(server->state) : "unseen";
    if (!server) node.error = server.error().line();
    return node;
}

}  // namespace

std::optional<Conninfo> endpoint_conninfo(Cluster const& cluster) {
    auto const settings = endpoint_settings(cluster.state);
    if (!settings || settings->port == 0) return std::nullopt;
    Conninfo conninfo{settings->listen.front(), settings->port, cluster.credentials.user, cluster.credentials.database};
    conninfo.passfile = cluster.paths.passfile().string();
    return conninfo;
}

Result<SystemUser> owner_user() {
    if (::geteuid() != 0) return current_user();
    auto found = find_user("postgres");
    if (found) return *found;
    return fail("looking for a user to run PostgreSQL as", "postgres",
                "PostgreSQL refuses to run as root, and there is no user postgres",
                "apt-get install postgresql, or the command as an ordinary user");
}

Path default_folder() {
    if (::geteuid() == 0) return "/var/lib/pgtandem";
    if (char const* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
        return Path(data) / "pgtandem";
    }
    return current_user().home / ".local/share/pgtandem";
}

Status work_as(SystemUser const& owner) {
    if (::chdir("/") != 0) return fail_errno("entering", "/");
    if (::geteuid() == owner.uid) return {};
    return become(owner);
}

Result<cli::Settings> gather_settings(cli::CommandLine const& line) {
    Environment environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        std::string_view const variable(*entry);
        auto const equals = variable.find('=');
        if (equals != std::string_view::npos) {
            environment[std::string(variable.substr(0, equals))] = variable.substr(equals + 1);
        }
    }
    return cli::Settings::gather(line, environment, default_folder());
}

Status load(Cluster& cluster) {
    PGTANDEM_TRY(snapshot, cluster.store.read());
    PGTANDEM_TRY(state, read_state(snapshot));
    PGTANDEM_TRY(credentials, load_credentials(cluster.paths));
    if (!credentials) {
        return fail("reading the credentials", cluster.paths.credentials().string(), "they are not there",
                    "put the files credentials.env and internal.env back");
    }
    cluster.state = state;
    cluster.credentials = *credentials;
    return {};
}

Result<Cluster> open_cluster(cli::Settings const& settings) {
    Cluster cluster(settings.path("dir"));
    PGTANDEM_TRY(owner, owner_user());
    PGTANDEM_TRY(is_ours, look_at_folder(cluster.paths, owner));
    if (!is_ours) {
        return fail("looking for the cluster", cluster.paths.folder.string(), "there is none",
                    "pgtandem up, or another --dir");
    }
    PGTANDEM_CHECK(work_as(owner));
    PGTANDEM_CHECK(load(cluster));
    return cluster;
}

Result<Cluster> open_running_cluster(cli::Settings const& settings, std::string const& command) {
    PGTANDEM_TRY(cluster, open_cluster(settings));
    PGTANDEM_TRY(process, up_process(cluster));
    if (!process) return fail(command, cluster.paths.folder.string(), "the cluster is down", "pgtandem up");
    return std::move(cluster);
}

Result<std::optional<pid_t>> up_process(Cluster const& cluster) { return LockFile::holder(cluster.paths.up_lock()); }

std::map<std::string, cluster::NodeReport> node_reports(Cluster const& cluster) {
    std::map<std::string, cluster::NodeReport> reports;
    auto const snapshot = cluster.reports.read();
    if (!snapshot) return reports;
    constexpr std::string_view prefix = "nodes/";
    for (auto const& [key, stored] : snapshot->keys) {
        if (key.starts_with(prefix)) reports[key.substr(prefix.size())] = cluster::parse_node_report(stored.value);
    }
    return reports;
}

api::Topology topology_of(Cluster const& cluster) {
    api::Topology topology;
    topology.folder = cluster.paths.folder;
    topology.durability = to_string(cluster.state.durability);
    topology.system_identifier = cluster.state.system_identifier;
    topology.postgresql = cluster.state.postgresql;
    topology.up_process = up_process(cluster).value_or(std::nullopt).value_or(0);
    topology.endpoint = endpoint_conninfo(cluster);
    if (auto const snapshot = cluster.store.read(); snapshot && snapshot->keys.contains("sync")) {
        topology.sync_set = snapshot->keys.at("sync").value.get<std::vector<std::string>>();
    }
    auto const reports = topology.up_process > 0 ? node_reports(cluster) : std::map<std::string, cluster::NodeReport>();
    for (auto const& [name, entry] : cluster.state.nodes) {
        if (entry.removed) continue;
        auto node = node_of(cluster, name, entry);
        if (auto const report = reports.find(name); report != reports.end()) {
            node.phase = report->second.phase;
            if (!report->second.error.empty()) node.error = report->second.error;
            if (node.phase == waiting_phase) {
                node.error += fmt::format(" ({:.1f} s from one start to the next)", report->second.pause_seconds);
            }
            node.done_bytes = report->second.done_bytes;
            node.total_bytes = report->second.total_bytes;
        }
        auto const place = node.is_primary ? topology.nodes.begin() : topology.nodes.end();
        topology.nodes.insert(place, std::move(node));
    }
    return topology;
}

// Empty where it is the default.
std::string endpoint_setting(cluster::ClusterState const& state, std::string const& name) {
    auto const found = state.endpoint.find(name);
    return found == state.endpoint.end() ? "" : found->second;
}

std::map<std::string, std::string> remembered(cluster::ClusterState const& state) {
    return {{"replicas", std::to_string(state.replica_count())},
            {"listen", state.listen},
            {"port", std::to_string(state.port)},
            {"durability", to_string(state.durability)},
            {"archive-size", fmt::format("{}MB", state.archive_segments * segment_bytes >> 20)},
            {"pg-bin", state.pg_bin},
            {"endpoint-port", endpoint_setting(state, "port")},
            {"reads-port", endpoint_setting(state, "reads_port")},
            {"pool-mode", endpoint_setting(state, "pool_mode")},
            {"pool-size", endpoint_setting(state, "pool_size")}};
}

}  // namespace pgtandem::apps
