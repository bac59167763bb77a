#include "agent/primary_roles.hpp"

#include <fmt/format.h>

#include "pg/quoting.hpp"

namespace pgtandem {

namespace {

constexpr auto patience = 30s;

Deadline soon() { return Deadline::in(patience); }

Status ensure_role(Session& admin, std::string const& name, std::string const& password, char const* attributes) {
    PGTANDEM_TRY(found, admin.query("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1", {name}, soon()));
    if (!found.empty()) return {};
    PGTANDEM_TRY(verifier, admin.scram_verifier(name, password));
    PGTANDEM_CHECK(admin.query(fmt::format("CREATE ROLE {} LOGIN {} PASSWORD {}", quoted_identifier(name), attributes,
                                           quoted_literal(verifier)),
                               soon()));
    return {};
}

// It has the password that we know and no attribute, also where somebody has given it one.
Status ensure_catalog_role(Session& admin, std::string const& password) {
    PGTANDEM_CHECK(ensure_role(admin, catalog_role, password, ""));
    PGTANDEM_TRY(verifier, admin.scram_verifier(catalog_role, password));
    PGTANDEM_CHECK(admin.query(fmt::format("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}",
                                           quoted_identifier(catalog_role), quoted_literal(verifier)),
                               soon()));
    return {};
}

// Settings of versions that not every server has: as startup options (own_session.hpp) the others would refuse them. A role's count
// before a database's, and before the configuration; event triggers run at a login only after they have been read.
struct RoleSetting {
    int since;
    char const* name;
    char const* value;
};
constexpr RoleSetting role_settings[] = {
    {140000, "idle_session_timeout", "0"},
    {170000, "transaction_timeout", "0"},
    {170000, "event_triggers", "off"},  // one that fails would keep us out of our own servers
};

Status ensure_role_settings(Session& admin) {
    for (auto const* const role : {admin_role, catalog_role}) {
        for (auto const& [since, name, value] : role_settings) {
            if (admin.server_version() < since) continue;
            PGTANDEM_CHECK(admin.query(fmt::format("ALTER ROLE {} SET {} = {}", quoted_identifier(role), name, value), soon()));
        }
    }
    return {};
}

}  // namespace

Status ensure_roles(Session& admin, Credentials const& credentials) {
    PGTANDEM_CHECK(ensure_role(admin, replication_role, credentials.replication_password, "REPLICATION"));
    PGTANDEM_CHECK(ensure_catalog_role(admin, credentials.catalog_password));
    PGTANDEM_CHECK(ensure_role_settings(admin));
    // As the postgres image does, the user owns the server: extensions, roles and databases are theirs to make.
    return ensure_role(admin, credentials.user, credentials.password, "SUPERUSER");
}

Status let_catalog_role_connect(Session& admin) {
    PGTANDEM_TRY(closed, admin.query("SELECT datname FROM pg_catalog.pg_database WHERE datallowconn "
                                     "AND NOT pg_catalog.has_database_privilege($1, oid, 'CONNECT')",
                                     {catalog_role}, soon()));
    for (auto const& row : closed) {
        // One that is dropped at this moment is no fault.
        static_cast<void>(admin.query(fmt::format("GRANT CONNECT ON DATABASE {} TO {}", quoted_identifier(row[0].value_or("")),
                                                  quoted_identifier(catalog_role)),
                                      soon()));
    }
    return {};
}

Status ensure_database(Session& admin, Credentials const& credentials) {
    PGTANDEM_TRY(
        found, admin.query("SELECT 1 FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1", {credentials.database}, soon()));
    if (!found.empty()) return {};
    PGTANDEM_CHECK(admin.query(fmt::format("CREATE DATABASE {} OWNER {}", quoted_identifier(credentials.database),
                                           quoted_identifier(credentials.user)),
                               soon()));
    return {};
}

std::string slot_name(std::string const& node) { return "pgtandem_" + node; }

Status ensure_slot(Session& admin, std::string const& node) {
    auto const name = slot_name(node);
    PGTANDEM_TRY(found, admin.query("SELECT coalesce(wal_status, '') FROM pg_catalog.pg_replication_slots "
                                    "WHERE slot_name OPERATOR(pg_catalog.=) $1",
                                    {name}, soon()));
    if (!found.empty() && found.value() != "lost") return {};
    if (!found.empty()) PGTANDEM_CHECK(drop_slot(admin, node));
    PGTANDEM_CHECK(admin.query("SELECT pg_catalog.pg_create_physical_replication_slot($1, true)", {name}, soon()));
    return {};
}

Status drop_slot(Session& admin, std::string const& node) {
    PGTANDEM_CHECK(admin.query("SELECT pg_catalog.pg_drop_replication_slot(slot_name) "
                               "FROM pg_catalog.pg_replication_slots WHERE slot_name OPERATOR(pg_catalog.=) $1",
                               {slot_name(node)}, soon()));
    return {};
}

Result<std::vector<std::string>> tablespace_locations(Session& admin) {
    PGTANDEM_TRY(rows, admin.query("SELECT pg_catalog.pg_tablespace_location(oid) FROM pg_catalog.pg_tablespace "
                                   "WHERE pg_catalog.starts_with(pg_catalog.pg_tablespace_location(oid), '/')",
                                   soon()));
    std::vector<std::string> locations;
    for (auto const& row : rows) locations.push_back(row[0].value_or(""));
    return locations;
}

}  // namespace pgtandem
