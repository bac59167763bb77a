// One server's configuration files, as text: a pure function of what the cluster wants.
// Our settings stand in a file of our own that the data folder's postgresql.conf includes; that file itself is the
// user's.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "instance/credentials.hpp"
#include "instance/layout.hpp"
#include "pg/conninfo.hpp"

namespace pgtandem {

inline constexpr char const* our_settings_file = "pgtandem.conf";
// The line that initialize() adds to postgresql.conf, once.
inline constexpr char const* include_line = "include 'pgtandem.conf'\n";

using Settings = std::map<std::string, std::string>;

struct ServerConfiguration {
    std::string name;  // the node's
    std::string listen;
    std::uint16_t port;
    std::string primary_conninfo;  // empty on the primary
    std::string primary_slot_name;
    std::string synchronous_standby_names;
    Settings settings;  // the user's, they win
};

std::string render_settings(ServerConfiguration const& configuration, ClusterPaths const& paths);
// Lets in: our own role by Unix socket, the replication role from this machine, users by password; nothing by trust.
std::string render_hba(std::string const& listen);
// What PostgreSQL calls to archive a segment: copies, syncs, renames; keeps at most 'segments' of them.
std::string render_archive_script(Path const& archive, std::uint64_t segments);

// The addresses a server listens on: what was asked for, and loopback for the replicas.
std::string listen_addresses(std::string const& listen);
bool is_loopback(std::string const& listen);

// Why the user may not set this, or "" if they may: the setting is pgtandem's to keep.
std::string why_setting_is_kept(std::string const& name, std::string const& value);

// How a replica reaches the primary on this machine.
Conninfo replication_conninfo(ClusterPaths const& paths, std::uint16_t primary_port, std::string const& name);

// How one of pgtandem's own roles but the replication role and the catalogs' reaches a server on this machine. With the superuser
// as its reserve; the superuser itself where the role has no password yet.
Conninfo own_conninfo(ClusterPaths const& paths, Credentials const& credentials, std::string const& role, std::uint16_t port);

}  // namespace pgtandem
