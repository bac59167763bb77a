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
Status ensure_ordinary_role(Session& admin, std::string const& name, std::string const& password) {
    PGTANDEM_CHECK(ensure_role(admin, name, password, ""));
    PGTANDEM_TRY(verifier, admin.scram_verifier(name, password));
    PGTANDEM_CHECK(admin.query(fmt::format("ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS "
                                           "CONNECTION LIMIT -1 VALID UNTIL 'infinity' PASSWORD {}",
                                           quoted_identifier(name), quoted_literal(verifier)),
                               soon()));
    return {};
}

struct OwnGrants {
    char const* role;
    char const* membership;
    std::vector<char const*> tables;
    std::vector<char const*> functions;
};

// All of it counts in database postgres alone, but for the memberships.
std::vector<OwnGrants> const& own_grants() {
    static std::vector<OwnGrants> const grants{
        {logins_role,
         "pg_read_all_settings",
         {"pg_authid", "pg_hba_file_rules", "pg_file_settings"},
         {"pg_hba_file_rules()", "pg_show_all_file_settings()", "pg_read_binary_file(text)", "pg_stat_file(text,boolean)", "pg_ls_dir(text)"}},
        {monitor_role, "pg_monitor", {"pg_hba_file_rules", "pg_file_settings"}, {"pg_hba_file_rules()", "pg_show_all_file_settings()"}},
    };
    return grants;
}

std::string in_catalog(char const* name) { return std::string("pg_catalog.") + name; }

Result<bool> has_grants(Session& admin, OwnGrants const& wanted) {
    auto const role = quoted_literal(wanted.role);
    auto query = fmt::format("SELECT pg_catalog.pg_has_role({}, '{}', 'USAGE')", role, wanted.membership);
    for (auto const* table : wanted.tables) query += fmt::format(" AND pg_catalog.has_table_privilege({}, '{}', 'SELECT')", role, in_catalog(table));
    for (auto const* function : wanted.functions) {
        query += fmt::format(" AND pg_catalog.has_function_privilege({}, '{}', 'EXECUTE')", role, in_catalog(function));
    }
    PGTANDEM_TRY(has_all, admin.query(query, soon()));
    return has_all.value() == "t";
}

Status give_grants(Session& admin, OwnGrants const& wanted) {
    auto const role = quoted_identifier(wanted.role);
    PGTANDEM_CHECK(admin.query(fmt::format("GRANT {} TO {}", wanted.membership, role), soon()));
    for (auto const* table : wanted.tables) PGTANDEM_CHECK(admin.query(fmt::format("GRANT SELECT ON {} TO {}", in_catalog(table), role), soon()));
    for (auto const* function : wanted.functions) {
        PGTANDEM_CHECK(admin.query(fmt::format("GRANT EXECUTE ON FUNCTION {} TO {}", in_catalog(function), role), soon()));
    }
    return {};
}

// From 16 on an administrator can keep places for others than superusers.
Status let_use_reserved_connections(Session& admin) {
    if (admin.server_version() < 160000) return {};
    PGTANDEM_CHECK(admin.query(fmt::format("GRANT pg_use_reserved_connections TO {}, {}", quoted_identifier(logins_role),
                                           quoted_identifier(monitor_role)),
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
    for (auto const* const role : {admin_role, catalog_role, logins_role, monitor_role}) {
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
    PGTANDEM_CHECK(ensure_ordinary_role(admin, catalog_role, credentials.catalog_password));
    PGTANDEM_CHECK(ensure_ordinary_role(admin, logins_role, credentials.logins_password));
    PGTANDEM_CHECK(ensure_ordinary_role(admin, monitor_role, credentials.monitor_password));
    PGTANDEM_CHECK(let_use_reserved_connections(admin));
    PGTANDEM_CHECK(keep_grants(admin));
    PGTANDEM_CHECK(ensure_role_settings(admin));
    // As the postgres image does, the user owns the server: extensions, roles and databases are theirs to make.
    return ensure_role(admin, credentials.user, credentials.password, "SUPERUSER");
}

Status keep_grants(Session& admin) {
    for (auto const& wanted : own_grants()) {
        PGTANDEM_TRY(has_all, has_grants(admin, wanted));
        if (!has_all) PGTANDEM_CHECK(give_grants(admin, wanted));
    }
    PGTANDEM_TRY(closed, admin.query("SELECT d.datname, r.rolname FROM pg_catalog.pg_database d, pg_catalog.pg_roles r WHERE d.datallowconn "
                                     "AND (r.rolname OPERATOR(pg_catalog.=) $1 OR d.datname OPERATOR(pg_catalog.=) 'postgres' "
                                     "AND r.rolname OPERATOR(pg_catalog.=) ANY (ARRAY[$2, $3]::pg_catalog.name[])) "
                                     "AND NOT pg_catalog.has_database_privilege(r.oid, d.oid, 'CONNECT')",
                                     {catalog_role, logins_role, monitor_role}, soon()));
    for (auto const& row : closed) {
        // One that is dropped at this moment is no fault.
        static_cast<void>(admin.query(fmt::format("GRANT CONNECT ON DATABASE {} TO {}", quoted_identifier(row[0].value_or("")),
                                                  quoted_identifier(row[1].value_or(""))),
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
