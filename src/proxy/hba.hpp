// pg_hba.conf, evaluated as PostgreSQL does (src/backend/libpq/hba.c): the first line that matches decides. A line of which
// cannot be said whether it matches decides as well: nobody gets in by a later one.
// Pure: the lines come from pg_hba_file_rules, and what only the server can tell of a login comes along with it.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/login_desk.hpp"
#include "proxy/network.hpp"

namespace pgtandem::proxy {

enum class Match { no, yes, unknown };

// pg_hba_file_rules does not show whether a word stands in quotes: "all" in quotes is a name, the bare word is not.
enum class Quoting { bare, quoted, unknown };

struct HbaName {
    std::string text;
    Quoting quoting = Quoting::bare;
    bool operator==(HbaName const&) const = default;
};

// A row of pg_hba_file_rules.
struct HbaLine {
    int number = 0;
    std::string type;  // local, host, hostssl, hostnossl, hostgssenc, hostnogssenc
    std::vector<HbaName> databases;
    std::vector<HbaName> users;
    HbaName address{};  // numeric, "all", "samehost", "samenet", a host name; empty for local
    std::string netmask{};
    std::string method;
    std::vector<std::string> options{};  // "clientcert=verify-full"
    bool operator==(HbaLine const&) const = default;
};
using HbaLines = std::vector<HbaLine>;

// What the name service says of a client's address.
struct PeerName {
    Match has_name = Match::unknown;  // unknown: the lookup failed
    std::string name{};
    Match leads_back = Match::unknown;  // the name has the client's address
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
    std::optional<std::vector<Network>> server_networks{};  // of the server's machine, for samehost and samenet
    std::optional<PeerName> peer_name{};                    // once it has been looked up
};

struct HbaVerdict {
    LoginMethod method = LoginMethod::refused;
    std::string refusal{};
    bool needs_peer_name = false;  // refused as long as it is not looked up
    bool operator==(HbaVerdict const&) const = default;
};

// 'major' is the server's: before 14 the text says "SSL off", not "no encryption"; from 16 on a word that begins with "/" is
// a regular expression and not a name.
HbaVerdict evaluate_hba(HbaLines const& lines, HbaLogin const& login, int major);

// Where it is not known which of several files the server has in effect: what all of them say, or nobody gets in.
HbaVerdict evaluate_hba(std::vector<HbaLines> const& candidates, HbaLogin const& login, int major);

// What is left to be said of a login whose verdict waits for the peer's name.
struct HbaCase {
    std::vector<HbaLines> candidates;
    HbaLogin login;
    int major = 0;
    HbaVerdict verdict(PeerName name) &&;
};

// The regular expressions in the lines (words that begin with "/"), without the "/".
std::set<std::string> hba_patterns(std::vector<HbaLines> const& candidates);

}  // namespace pgtandem::proxy
