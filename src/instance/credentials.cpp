#include "instance/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/random.hpp"
#include "base/text.hpp"
#include "pg/quoting.hpp"

namespace pgtandem {

namespace {

constexpr std::size_t password_length = 24;
constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1

Status check_name(std::string const& what, std::string const& name) {
    if (name.empty() || name.size() > longest_name) {
        return usage_error("making the " + what, name, "a name has 1 to 63 bytes");
    }
    if (name.find('\0') != std::string::npos || name.find('\n') != std::string::npos) {
        return usage_error("making the " + what, name, "a name has no line breaks");
    }
    return {};
}

std::string passfile_line(std::string_view role, std::string_view password) {
    return fmt::format("*:*:*:{}:{}\n", quoted_passfile_field(role), quoted_passfile_field(password));
}

}  // namespace

bool is_own_role(std::string const& name) {
    return std::ranges::any_of(std::array{admin_role, replication_role, logins_role, monitor_role, catalog_role},
                               [&](std::string_view role) { return name == role; });
}

Result<WantedCredentials> wanted_from(Environment const& variables, std::string const& where) {
    static std::vector<std::string> const known{"POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_USER"};
    WantedCredentials wanted;
    for (auto const& [name, value] : variables) {
        if (name == "POSTGRES_USER") {
            wanted.user = value;
        } else if (name == "POSTGRES_PASSWORD") {
            wanted.password = value;
        } else if (name == "POSTGRES_DB") {
            wanted.database = value;
        } else if (name.starts_with("POSTGRES_")) {
            return usage_error("reading", where, fmt::format("{} is not known here", name), did_you_mean(name, known));
        }
    }
    return wanted;
}

Result<Credentials> make_credentials(WantedCredentials const& wanted) {
    Credentials made;
    made.user = wanted.user.empty() ? "postgres" : wanted.user;
    made.database = wanted.database.empty() ? made.user : wanted.database;
    made.password = wanted.password.empty() ? make_password() : wanted.password;
    made.admin_password = make_password();
    made.replication_password = make_password();
    made.catalog_password = make_password();
    made.logins_password = make_password();
    made.monitor_password = make_password();
    PGTANDEM_CHECK(check_name("role", made.user));
    PGTANDEM_CHECK(check_name("database", made.database));
    if (is_own_role(made.user) || made.user.starts_with("pg_")) {
        return usage_error("making the role", made.user, "the name is kept for PostgreSQL's or pgtandem's own use",
                           "another POSTGRES_USER");
    }
    if (made.database == "template0" || made.database == "template1") {
        return usage_error("making the database", made.database, "it is one of PostgreSQL's templates",
                           "another POSTGRES_DB");
    }
    if (made.password.find_first_of("\r\n") != std::string::npos) {
        return usage_error("making the role", made.user,
                           "its password has a line break, which a password file cannot hold");
    }
    return made;
}

std::string make_password() { return random_word(password_length); }

Result<std::optional<Credentials>> load_credentials(ClusterPaths const& paths) {
    PGTANDEM_TRY(users, read_file_if_there(paths.credentials()));
    PGTANDEM_TRY(ours, read_file_if_there(paths.internal_credentials()));
    if (!users || !ours) return std::optional<Credentials>();
    PGTANDEM_TRY(given, parse_environment(*users, paths.credentials().string()));
    PGTANDEM_TRY(internal, parse_environment(*ours, paths.internal_credentials().string()));
    return std::optional(Credentials{given["POSTGRES_USER"], given["POSTGRES_PASSWORD"], given["POSTGRES_DB"],
                                     internal["ADMIN_PASSWORD"], internal["REPLICATION_PASSWORD"], internal["CATALOG_PASSWORD"],
                                     internal["LOGINS_PASSWORD"], internal["MONITOR_PASSWORD"]});
}

Status save_credentials(ClusterPaths const& paths, Credentials const& credentials) {
    PGTANDEM_CHECK(write_file(paths.passfile(), passfile_line(credentials.user, credentials.password)));
    PGTANDEM_CHECK(
        write_file(paths.replication_passfile(), passfile_line(replication_role, credentials.replication_password)));
    PGTANDEM_CHECK(write_file(paths.internal_credentials(),
                              render_environment({{"ADMIN_PASSWORD", credentials.admin_password},
                                                  {"CATALOG_PASSWORD", credentials.catalog_password},
                                                  {"LOGINS_PASSWORD", credentials.logins_password},
                                                  {"MONITOR_PASSWORD", credentials.monitor_password},
                                                  {"REPLICATION_PASSWORD", credentials.replication_password}})));
    return write_file(paths.credentials(), render_environment({{"POSTGRES_USER", credentials.user},
                                                               {"POSTGRES_PASSWORD", credentials.password},
                                                               {"POSTGRES_DB", credentials.database}}));
}

}  // namespace pgtandem
