#include "cli/command_table.hpp"

#include <algorithm>
#include <array>

namespace pgtandem::cli {

namespace {

constexpr auto options = std::to_array<OptionRow>({
    {"dir", "FOLDER", "the cluster's folder", true},
    {"config", "FILE", "settings file; else ./pgtandem.toml, if there"},
    {"replicas", "N", "how many replicas the primary has, 0 to 64", true},
    {"listen", "ADDRESS", "where the servers listen; * for everywhere", true},
    {"port", "PORT", "the first server's port; each further one takes the next", true},
    {"durability", "MODE", "what a commit waits for: sync, strict or async", true},
    {"archive-size", "SIZE", "how much WAL the archive keeps, such as 1GB", true},
    {"pg-bin", "FOLDER", "where PostgreSQL's programs are", true},
    {"env-file", "FILE", "POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB", true},
    {"set", "NAME=VALUE", "a PostgreSQL setting, for every server", false, true},
    {"endpoint-port", "PORT", "where clients connect, to the primary; 0: nowhere", true},
    {"reads-port", "PORT", "where clients connect to the replicas; 0: nowhere", true},
    {"pool-mode", "MODE", "transparent, transaction or session", true},
    {"pool-size", "N", "backends of the endpoint for each database and user", true},
    {"check-sharing", "MODE", "on: each backend is asked what its last client has left in it; slow, for tests", true},
    {"detach", "", "return once the proof is done; the cluster runs on"},
    {"takeover", "", "takes the place of the process that serves already, without a gap for its clients"},
    {"watch", "", "again and again, until Ctrl-C"},
    {"json", "", "facts as JSON"},
    {"yes", "", "do not ask"},
    {"primary", "", "the primary"},
    {"replica", "NAME", "this replica"},
});

constexpr std::string_view up_options[] = {"dir",          "config", "replicas", "listen", "port",  "durability",
                                           "archive-size", "pg-bin", "env-file", "set",    "endpoint-port", "reads-port", "pool-mode", "pool-size", "check-sharing", "detach", "takeover"};
constexpr std::string_view place_options[] = {"dir", "config"};
constexpr std::string_view status_options[] = {"dir", "config", "watch", "json"};
constexpr std::string_view fact_options[] = {"dir", "config", "json"};
constexpr std::string_view reset_options[] = {"dir", "config", "yes"};
constexpr std::string_view psql_options[] = {"dir", "config", "primary", "replica", "pg-bin"};
constexpr std::string_view config_options[] = {"dir",          "config", "replicas", "listen", "port", "durability",
                                               "archive-size", "pg-bin", "env-file", "set",    "endpoint-port", "reads-port", "pool-mode", "pool-size", "check-sharing", "json"};
constexpr std::string_view proxy_options[] = {"config", "check-sharing", "takeover"};

constexpr auto commands = std::to_array<CommandRow>({
    {"up", "", "makes or starts the cluster, proves that it replicates, keeps it running", up_options,
     "pgtandem up\n"
     "pgtandem up --replicas 2 --detach\n"
     "pgtandem up --env-file db.env --set shared_buffers=1GB --set work_mem=16MB"},
    {"down", "", "stops all of it cleanly, loses nothing", place_options, "pgtandem down"},
    {"status", "", "shows each node: role, state, lag, sync, slot, disk", status_options,
     "pgtandem status\npgtandem status --watch\npgtandem status --json"},
    {"verify", "", "proves that it replicates and that all is as it should be", fact_options,
     "pgtandem verify\npgtandem verify --json"},
    {"reset", "", "removes the cluster with its data, after asking", reset_options,
     "pgtandem reset\npgtandem reset --yes"},
    {"psql", "[-- PSQL ARGUMENTS]", "psql with the right connection (the endpoint, unless a node is named)",
     psql_options, "pgtandem psql\npgtandem psql --replica node2 -- -c 'TABLE t'", true},
    {"replica", "add|remove|reinit [NAME]", "one replica more, one less, one made anew", place_options,
     "pgtandem replica add\npgtandem replica remove node3\npgtandem replica reinit node2"},
    {"proxy", "", "only the endpoint, before servers that pgtandem does not manage", proxy_options,
     "pgtandem proxy --config proxy.toml\npgtandem proxy --config proxy.toml --takeover"},
    {"config", "show|check", "the settings in effect and where each comes from; or only checks them", config_options,
     "pgtandem config show\npgtandem config check --set work_mem=16MB"},
    {"guard", "FOLDER POSTGRES", "the parent of one server", {}, "", false, true},
});

}  // namespace

std::span<OptionRow const> option_rows() { return options; }
std::span<CommandRow const> command_rows() { return commands; }

OptionRow const* find_option(std::string_view name) {
    auto const found = std::ranges::find(options, name, &OptionRow::name);
    return found == options.end() ? nullptr : &*found;
}

CommandRow const* find_command(std::string_view name) {
    auto const found = std::ranges::find(commands, name, &CommandRow::name);
    return found == commands.end() ? nullptr : &*found;
}

}  // namespace pgtandem::cli
