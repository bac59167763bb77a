// Knows who may log in, by asking the server itself at each login: roles, passwords, limits and settings live in SQL alone.
// One thread with one blocking libpq session; many questions that wait are asked in one query, by turns of the
// addresses they come from.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "pg/conninfo.hpp"

namespace pgtandem::proxy {

struct LoginQuestion {
    std::string user;
    std::string database;
    bool is_replication = false;  // physical: no database is looked for
    bool is_tls = false;
    std::string peer_address{};  // numeric; empty for a Unix socket. For pg_hba.conf
};

// How the server answers for a role that is not there, has no password or an expired one: as for any other.
struct MockLogin {
    std::string secret{};  // of its salts; empty where it could not be read
    int iterations = 4096;  // before 16 there is no setting
    bool is_md5 = false;  // where pg_hba.conf leaves the choice
};

enum class LoginMethod { scram, scram_or_md5, password, trust, refused };

struct LoginFacts {
    // From pg_hba.conf as the server has it in effect (pg_hba_file_rules); the first line that matches.
    LoginMethod method = LoginMethod::scram;
    std::string refusal{};  // PostgreSQL's own text where method is refused; SQLSTATE 28000

    bool role_exists = false;
    std::optional<std::string> password{};  // pg_authid.rolpassword
    bool password_has_expired = false;      // VALID UNTIL
    bool may_login = false;
    bool is_superuser = false;
    bool may_replicate = false;
    bool is_monitor = false;  // a member of pg_monitor
    std::int64_t role_connection_limit = -1;

    bool database_exists = false;
    bool database_allows_connections = false;
    bool may_connect = false;
    std::int64_t database_connection_limit = -1;

    // Changes whenever ALTER ROLE ... SET or ALTER DATABASE ... SET changes what a new session of the two starts with, and
    // when a name has come to be another role's or database's.
    std::uint64_t settings_version = 0;
    std::string identity{};  // the OIDs of database and role, as first_path_query tells them of a session

    MockLogin mock{};
    int server_major = 0;  // its version: some refusals are worded anew in later ones
};

class LoginDesk {
public:
    // How to reach a server that can answer, tried anew for each connection; an error while there is none.
    using FindServer = std::function<Result<Conninfo>()>;
    using Answer = std::function<void(Result<LoginFacts>)>;
    explicit LoginDesk(FindServer find_server);
    ~LoginDesk();  // answers what still waits with an error

    // 'answer' is called once, on a thread of the desk's; not at all once it is forgotten, though perhaps while it is being
    // forgotten. Each id once. Thread-safe.
    void ask(std::uint64_t id, LoginQuestion question, Answer answer);
    void forget(std::uint64_t id);

private:
    class Work;
    std::unique_ptr<Work> work_;
};

}  // namespace pgtandem::proxy
