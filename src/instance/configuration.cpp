#include "instance/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "instance/credentials.hpp"
#include "instance/server_log.hpp"
#include "pg/quoting.hpp"

namespace pgtandem {

namespace {

// Room for 64 replicas, each with a clone's two senders at a time for a few of them, and users' own slots.
constexpr char const* most_senders = "80";

// A path as PostgreSQL's archive and restore commands need it: a shell word in which % stands for itself.
std::string in_command(Path const& path) { return shell_quoted(replace_all(path.string(), "%", "%%")); }

using Lines = std::vector<std::pair<std::string, std::string>>;

Lines shared_settings(ClusterPaths const& paths) {
    return {
        {"wal_level", "replica"},
        {"max_wal_senders", most_senders},
        {"max_replication_slots", most_senders},
        {"max_slot_wal_keep_size", "4GB"},  // a dead replica's slot may not fill the disk
        {"wal_keep_size", "128MB"},
        {"hot_standby", "on"},
        {"wal_log_hints", "on"},  // pg_rewind's condition, beside checksums
        {"wal_sender_timeout", "10s"},
        {"wal_receiver_timeout", "10s"},
        {"wal_retrieve_retry_interval", "500ms"},
        {"archive_mode", "on"},
        {"restore_command", fmt::format("cp {}/\"%f\" \"%p\"", in_command(paths.archive()))},
        {"password_encryption", "scram-sha-256"},
        {"unix_socket_directories", paths.sockets().string()},
        {"unix_socket_permissions", "0700"},
        {"logging_collector", "on"},
        {"log_filename", server_log_filename},
        {"log_rotation_age", "1d"},
        {"log_rotation_size", server_log_rotation_size},
        {"log_line_prefix", "%m [%p] %q%u@%d %r "},
    };
}

struct Kept {
    std::string_view name;
    std::string_view instead;
};

constexpr Kept kept_settings[] = {
    {"archive_cleanup_command", "pgtandem keeps the archive"},
    {"archive_command", "pgtandem keeps the archive"},
    {"archive_library", "pgtandem keeps the archive"},
    {"archive_mode", "pgtandem keeps the archive"},
    {"cluster_name", "it is the node's name"},
    {"config_file", "the data folder's own files are used"},
    {"data_directory", "--dir says where the cluster lies"},
    {"external_pid_file", "the data folder's own files are used"},
    {"hba_file", "the data folder's own files are used"},
    {"hot_standby", "replicas serve reads"},
    {"ident_file", "the data folder's own files are used"},
    {"listen_addresses", "use --listen"},
    {"log_directory", "logs lie in the node's folder"},
    {"logging_collector", "logs lie in the node's folder"},
    {"port", "use --port"},
    {"primary_conninfo", "pgtandem connects the replicas"},
    {"primary_slot_name", "pgtandem connects the replicas"},
    {"promote_trigger_file", "pgtandem decides who is the primary"},
    {"restore_command", "pgtandem keeps the archive"},
    {"synchronous_standby_names", "use --durability"},
    {"unix_socket_directories", "the sockets lie in the cluster's folder"},
    {"unix_socket_permissions", "the sockets lie in the cluster's folder"},
    {"wal_log_hints", "rejoin needs it on"},
};

}  // namespace

std::string render_settings(ServerConfiguration const& configuration, ClusterPaths const& paths) {
    auto lines = shared_settings(paths);
    // Only the primary of the cluster archives: a replica that somebody promotes by hand
    // may not put its own history there.
    auto const archive = fmt::format("/bin/sh {} \"%p\" \"%f\"", in_command(paths.archive_script()));
    lines.emplace_back("archive_command", configuration.primary_conninfo.empty() ? archive : "");
    lines.emplace_back("log_directory", paths.node(configuration.name).log().string());
    lines.emplace_back("cluster_name", configuration.name);
    lines.emplace_back("listen_addresses", listen_addresses(configuration.listen));
    lines.emplace_back("port", std::to_string(configuration.port));
    lines.emplace_back("primary_conninfo", configuration.primary_conninfo);
    lines.emplace_back("primary_slot_name", configuration.primary_slot_name);
    lines.emplace_back("synchronous_standby_names", configuration.synchronous_standby_names);
    std::string text =
        "# Written by pgtandem; what you change here is written over. Use: pgtandem up --set name=value\n";
    for (auto const& [name, value] : lines) {
        if (!configuration.settings.contains(name)) text += fmt::format("{} = {}\n", name, quoted_setting(value));
    }
    if (!configuration.settings.empty()) text += "# Asked for with --set\n";
    for (auto const& [name, value] : configuration.settings) {
        text += fmt::format("{} = {}\n", name, quoted_setting(value));
    }
    return text;
}

Conninfo own_conninfo(ClusterPaths const& paths, Credentials const& credentials, std::string const& role, std::uint16_t port) {
    Conninfo conninfo{paths.sockets().string(), port, admin_role, "postgres"};
    conninfo.password = credentials.admin_password;
    auto const& password = role == logins_role ? credentials.logins_password : credentials.monitor_password;
    if (role == admin_role || password.empty()) return conninfo;
    conninfo.reserve_user = std::exchange(conninfo.user, role);
    conninfo.reserve_password = std::exchange(conninfo.password, password);
    return conninfo;
}

std::string render_hba(std::string const& listen) {
    std::string text =
        "# Written by pgtandem when the cluster was made. No line trusts: every connection has a password.\n";
    auto const line = [&](std::string_view type, std::string_view database, std::string_view user,
                          std::string_view address, std::string_view method) {
        text += fmt::format("{:<7} {:<12} {:<22} {:<14} {}\n", type, database, user, address, method);
    };
    line("# TYPE", "DATABASE", "USER", "ADDRESS", "METHOD");
    line("local", "all", "all", "", "scram-sha-256");
    // The endpoint passes replication connections on, as whoever asks for them.
    line("local", "replication", "all", "", "scram-sha-256");
    for (auto const* address : {"127.0.0.1/32", "::1/128"}) {
        line("host", "replication", replication_role, address, "scram-sha-256");
    }
    line("host", "all", fmt::format("{},{}", admin_role, replication_role), "all", "reject");
    if (!is_loopback(listen)) {
        line("host", "all", "all", "all", "scram-sha-256");
        return text;
    }
    for (auto const* address : {"127.0.0.1/32", "::1/128"}) line("host", "all", "all", address, "scram-sha-256");
    return text;
}

std::string render_archive_script(Path const& archive, std::uint64_t segments) {
    return fmt::format(R"(#!/bin/sh
# Written by pgtandem: archive_command. Keeps one WAL file: $1 its path, $2 its name.
# It is there only when it is whole and on disk: copied beside, synced, renamed. A file already kept must be the same.
set -eu
archive={}
if [ -e "$archive/$2" ]; then exec cmp -s "$1" "$archive/$2"; fi
# The oldest segments go when there are more than {} of them, also when the disk is too full to add one.
ls "$archive" | grep -E '^[0-9A-F]{{24}}$' | sort | head -n -{} | (cd "$archive" && xargs -r rm -f --)
cp "$1" "$archive/.$2.part"
sync "$archive/.$2.part"
mv "$archive/.$2.part" "$archive/$2"
sync "$archive"
)",
                       shell_quoted(archive.string()), segments, segments - 1);
}

bool is_loopback(std::string const& listen) {
    auto const addresses = split(listen, ',');
    return std::ranges::all_of(addresses, [](std::string const& address) {
        auto const name = trim(address);
        return name == "localhost" || name == "::1" || name.starts_with("127.");
    });
}

std::string listen_addresses(std::string const& listen) {
    auto const addresses = split(listen, ',');
    bool const has_loopback = std::ranges::any_of(addresses, [](std::string const& address) {
        auto const name = trim(address);
        return name == "*" || name == "0.0.0.0" || name == "localhost" || name == "127.0.0.1";
    });
    return has_loopback ? listen : listen + ",127.0.0.1";
}

std::string why_setting_is_kept(std::string const& name, std::string const& value) {
    for (auto const& kept : kept_settings) {
        if (kept.name == name) return std::string(kept.instead);
    }
    if (name == "wal_level" && value == "minimal") return "replicas need replica or logical";
    if (name.starts_with("recovery_target")) return "replicas follow the primary to the end";
    return {};
}

Conninfo replication_conninfo(ClusterPaths const& paths, std::uint16_t primary_port, std::string const& name) {
    Conninfo conninfo{"127.0.0.1", primary_port, replication_role, ""};
    conninfo.passfile = paths.replication_passfile().string();
    conninfo.application_name = name;
    return conninfo;
}

}  // namespace pgtandem
