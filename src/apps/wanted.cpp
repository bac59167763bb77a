#include "apps/wanted.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "apps/endpoint.hpp"
#include "base/text.hpp"
#include "instance/initialize.hpp"
#include "instance/preflight.hpp"
#include "instance/server.hpp"

namespace pgtandem::apps {

namespace {

constexpr std::uint64_t segment_bytes = 16 << 20;
constexpr std::size_t longest_node_name = 40;

Status check_node_name(cluster::ClusterState const& state, std::string const& name) {
    if (state.nodes.contains(name)) return usage_error("adding a replica", name, "there is a node of this name");
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789_";
    if (name.empty() || name.size() > longest_node_name || name.find_first_not_of(letters) != std::string::npos) {
        return usage_error("adding a replica", name, "a name has 1 to 40 of a-z, 0-9 and _, as a slot's has");
    }
    return {};
}

std::uint16_t next_port(cluster::ClusterState const& state) {
    auto port = state.port;
    auto const is_used = [&](std::uint16_t wanted) {
        return std::ranges::any_of(state.nodes, [&](auto const& node) { return node.second.port == wanted; });
    };
    while (is_used(port)) ++port;
    return port;
}

void move_ports(cluster::ClusterState& state, std::uint16_t first) {
    state.port = first;
    for (auto& [name, entry] : state.nodes) entry.port = 0;
    state.nodes.at(state.primary).port = first;
    for (auto& [name, entry] : state.nodes) {
        if (entry.port == 0) entry.port = next_port(state);
    }
}

tl::unexpected<Error> only_when_down(std::string const& setting) {
    return fail("changing the setting", setting, "it cannot change while the cluster runs",
                "pgtandem down, then pgtandem up again");
}

}  // namespace

Result<PgPrograms> programs_for(cluster::ClusterState const& state, cli::Settings const& settings) {
    std::optional<Path> chosen;
    if (!settings.text("pg-bin").empty()) chosen = settings.path("pg-bin");
    std::optional<int> major;
    if (state.pg_major != 0) major = state.pg_major;
    auto found = find_programs(chosen, major);
    // Where the cluster was made with programs that have gone since, others of the same version do as well.
    if (!found && chosen && !settings.at("pg-bin").is_given) return find_programs({}, major);
    return found;
}

Result<std::string> add_node(cluster::ClusterState& state, std::string name) {
    if (name.empty()) name = next_node_name(state);
    PGTANDEM_CHECK(check_node_name(state, name));
    auto const port = next_port(state);
    state.nodes[name] = {port};
    return name;
}

Result<cluster::ClusterState> wanted_state(cluster::ClusterState const& present, cli::Settings const& settings,
                                           bool is_running) {
    auto wanted = present;
    PGTANDEM_TRY(durability, cluster::parse_durability(settings.text("durability")));
    PGTANDEM_TRY(archive, cli::parse_size(settings.text("archive-size")));
    wanted.durability = durability;
    wanted.archive_segments = archive / segment_bytes;
    wanted.pg_bin = settings.text("pg-bin");
    for (auto const& [name, setting] : settings.postgresql()) wanted.postgresql[name] = setting.value;
    PGTANDEM_CHECK(take_endpoint_settings(wanted, settings, is_running));
    auto const port = static_cast<std::uint16_t>(settings.number("port"));
    if (is_running && (port != present.port)) return only_when_down("port");
    if (is_running && settings.text("listen") != present.listen) return only_when_down("listen");
    wanted.listen = settings.text("listen");
    if (wanted.nodes.empty()) {
        wanted.port = port;
        PGTANDEM_TRY(primary, add_node(wanted, ""));
        wanted.primary = primary;
    } else if (port != present.port) {
        move_ports(wanted, port);
    }
    auto const replicas = settings.number("replicas");
    if (replicas < wanted.replica_count()) {
        return fail("changing the setting", fmt::format("replicas ({})", settings.at("replicas").source),
                    fmt::format("the cluster has {}, and up takes none away", wanted.replica_count()),
                    "pgtandem replica remove NAME");
    }
    while (wanted.replica_count() < replicas) PGTANDEM_CHECK(add_node(wanted, "").map([](auto const&) {}));
    if (wanted.durability == cluster::Durability::strict && wanted.replica_count() == 0) {
        return usage_error("reading the setting", "durability", "strict without a replica would let no commit end",
                           "--replicas 1");
    }
    return wanted;
}

Status check_wanted(Cluster const& cluster, cluster::ClusterState const& wanted, PgPrograms const& programs,
                    bool endpoint_is_open) {
    if (wanted.postgresql != cluster.state.postgresql) {
        PGTANDEM_CHECK(check_settings(programs, cluster.paths.folder, wanted.postgresql));
    }
    std::size_t without_data = 0;
    for (auto const& [name, entry] : wanted.nodes) {
        auto const paths = cluster.paths.node(name);
        if (entry.port == 0) {
            return usage_error("checking the ports", name, "there is no port left for it", "a lower --port");
        }
        if (!is_there(paths.data())) ++without_data;
        PGTANDEM_TRY(server, observe_server(paths));
        if (server.state == ServerState::stopped) {
            PGTANDEM_CHECK(check_port(name, wanted.listen, entry.port));
        }
    }
    if (!endpoint_is_open) PGTANDEM_CHECK(check_endpoint_ports(wanted));
    if (without_data == 0) return {};
    return check_disk(cluster.paths, data_bytes(cluster.paths.node(wanted.primary).data()), without_data);
}

Result<WantedCredentials> given_credentials(cli::Settings const& settings) {
    auto const& file = settings.text("env-file");
    if (file.empty()) return WantedCredentials{};
    PGTANDEM_TRY(text, read_file(file));
    PGTANDEM_TRY(variables, parse_environment(text, file));
    return wanted_from(variables, file);
}

Status check_same_credentials(Credentials const& present, WantedCredentials const& given) {
    auto const differs = [](std::string const& wanted, std::string const& has) {
        return !wanted.empty() && wanted != has;
    };
    if (differs(given.user, present.user)) {
        return fail("reading the credentials", "POSTGRES_USER",
                    fmt::format("the cluster was made for user {}", present.user),
                    "CREATE ROLE in SQL for a further user");
    }
    if (differs(given.database, present.database)) {
        return fail("reading the credentials", "POSTGRES_DB",
                    fmt::format("the cluster was made with database {}", present.database),
                    "CREATE DATABASE in SQL for a further database");
    }
    return {};
}

}  // namespace pgtandem::apps
