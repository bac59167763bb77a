// Who logs in: the user's three (as the postgres image names them), and the roles pgtandem itself uses.
// Kept in files of mode 0600 below the cluster's folder; never in a log, a message or a process title.
#pragma once
#include <optional>
#include <string>

#include "base/env_file.hpp"
#include "base/result.hpp"
#include "instance/layout.hpp"

namespace pgtandem {

// The role that owns the cluster (initdb's superuser), local connections only.
inline constexpr char const* admin_role = "pgtandem";
inline constexpr char const* replication_role = "pgtandem_replication";
// Reads, in database postgres, what decides who may log in: pg_authid and pg_hba.conf. For the endpoint's login desk alone.
inline constexpr char const* logins_role = "pgtandem_logins";
// Sees what the servers do and how they are configured (pg_monitor): for the endpoint's watches, replicas' agents, status, verify.
inline constexpr char const* monitor_role = "pgtandem_monitor";
// Reads the catalogs of databases that belong to others: an ordinary role, with no right but to connect.
inline constexpr char const* catalog_role = "pgtandem_catalog";

struct Credentials {
    std::string user;
    std::string password;
    std::string database;
    std::string admin_password;
    std::string replication_password;
    // Each empty where the cluster is older than its role.
    std::string catalog_password{};
    std::string logins_password{};
    std::string monitor_password{};
};

bool is_own_role(std::string const& name);

// What the user asked for; empty fields were left open.
struct WantedCredentials {
    std::string user;
    std::string password;
    std::string database;
};

// Reads POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB. Other POSTGRES_* names are refused: they would do nothing.
Result<WantedCredentials> wanted_from(Environment const& variables, std::string const& where);

// As the postgres image does: the user is "postgres" and the database is named like the user unless given. Passwords
// that were left open are made at random. Errors: names that PostgreSQL or pgtandem keep for themselves.
Result<Credentials> make_credentials(WantedCredentials const& wanted);

std::string make_password();

Result<std::optional<Credentials>> load_credentials(ClusterPaths const& paths);
// Writes the two environment files and the two password files.
Status save_credentials(ClusterPaths const& paths, Credentials const& credentials);

}  // namespace pgtandem
