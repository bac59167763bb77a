// pg_hba.conf, evaluated as PostgreSQL does (src/backend/libpq/hba.c): the first line that matches decides.
// Pure: the lines come from pg_hba_file_rules, and what only the server can tell of a login comes along with it.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "proxy/hba_text.hpp"
#include "proxy/login_desk.hpp"
#include "proxy/network.hpp"

namespace pgtandem::proxy {

// A row of pg_hba_file_rules, and what the view leaves out: a database that is called "all" stands in quotes, the word does not.
struct HbaLine {
    int number = 0;
    std::string type;  // local, host, hostssl, hostnossl, hostgssenc, hostnogssenc
    std::vector<std::string> databases;
    std::vector<std::string> users;
    std::string address{};  // numeric, "all", "samehost", "samenet", a host name; empty for local
    std::string netmask{};
    std::string method;
    std::vector<std::string> options{};  // "clientcert=verify-full"
    HbaQuoted quoted{};
};

struct HbaLogin {
    std::string user;
    std::string database;
    bool is_replication = false;  // physical
    bool is_tls = false;
    std::string peer_address{};               // numeric; empty for a Unix socket
    std::set<std::string> roles{};            // the user and every role it is a member of, directly or not
    std::set<std::string> user_patterns{};    // those of the lines' regular expressions (without "/") the user matches
    std::set<std::string> database_patterns{};
    std::vector<Network> server_networks{};   // of the server's machine, for samehost and samenet
};

struct HbaVerdict {
    LoginMethod method = LoginMethod::refused;
    std::string refusal{};
    bool operator==(HbaVerdict const&) const = default;
};

// 'major' is the server's: before 14 the text says "SSL off", not "no encryption".
HbaVerdict evaluate_hba(std::vector<HbaLine> const& lines, HbaLogin const& login, int major);

// The regular expressions in the lines (words that begin with "/", from 16 on), without the "/".
std::set<std::string> hba_patterns(std::vector<HbaLine> const& lines);

}  // namespace pgtandem::proxy
