#include "proxy/hba.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgtandem::proxy {

namespace {

bool type_matches(HbaLine const& line, HbaLogin const& login) {
    if (login.peer_address.empty()) return line.type == "local";
    if (line.type == "host" || line.type == "hostnogssenc") return true;
    if (line.type == "hostssl") return login.is_tls;
    if (line.type == "hostnossl") return !login.is_tls;
    return false;  // local; hostgssenc: GSS encryption is not offered
}

bool is_own_address(Network const& own, IpAddress const& peer) { return own.address == peer; }
bool is_in_own_network(Network const& own, IpAddress const& peer) { return own.contains(peer); }

bool address_matches(HbaLine const& line, HbaLogin const& login) {
    if (line.type == "local" || line.address == "all") return true;
    auto const peer = IpAddress::parse(login.peer_address);
    if (!peer) return line.method == "reject";
    if (line.address == "samehost" || line.address == "samenet") {
        auto const matches = line.address == "samehost" ? is_own_address : is_in_own_network;
        return std::ranges::any_of(login.server_networks, [&](auto const& own) { return matches(own, *peer); });
    }
    auto const address = IpAddress::parse(line.address);
    auto const mask = IpAddress::parse(line.netmask);
    // A host name would have to be looked up as the server does it, from where the server stands. What cannot be
    // checked lets nobody in, and keeps out whom it is to keep out.
    if (!address || !mask) return line.method == "reject";
    return Network{*address, *mask}.contains(*peer);
}

// Before 16 a "/" has no meaning, and there are no patterns.
bool matches_name_or_pattern(std::string const& word, std::string const& name, std::set<std::string> const& patterns) {
    return word == name || (word.starts_with('/') && patterns.contains(word.substr(1)));
}

bool database_matches(std::string const& word, bool is_quoted, HbaLogin const& login) {
    if (login.is_replication) return word == "replication" && !is_quoted;
    if (is_quoted) return matches_name_or_pattern(word, login.database, login.database_patterns);
    if (word == "all") return true;
    if (word == "sameuser") return login.database == login.user;
    if (word == "samerole" || word == "samegroup") return login.roles.contains(login.database);
    if (word == "replication") return false;
    return matches_name_or_pattern(word, login.database, login.database_patterns);
}

bool user_matches(std::string const& word, bool is_quoted, HbaLogin const& login) {
    if (is_quoted) return matches_name_or_pattern(word, login.user, login.user_patterns);
    if (word.starts_with('+')) return login.roles.contains(word.substr(1));
    return word == "all" || matches_name_or_pattern(word, login.user, login.user_patterns);
}

bool line_matches(HbaLine const& line, HbaLogin const& login) {
    auto const& quoted = line.quoted;
    auto const is_database = [&](auto const& word) { return database_matches(word, quoted.databases.contains(word), login); };
    auto const is_user = [&](auto const& word) { return user_matches(word, quoted.users.contains(word), login); };
    return type_matches(line, login) && address_matches(line, login) && std::ranges::any_of(line.databases, is_database) &&
           std::ranges::any_of(line.users, is_user);
}

// 'host "10.0.0.1", user "u", database "d", no encryption', with PostgreSQL's words.
std::string who(HbaLogin const& login, int major) {
    auto const* const encryption = major >= 14 ? (login.is_tls ? "SSL encryption" : "no encryption")
                                               : (login.is_tls ? "SSL on" : "SSL off");
    auto const database = login.is_replication ? "" : fmt::format(", database \"{}\"", login.database);
    return fmt::format("host \"{}\", user \"{}\"{}, {}", login.peer_address.empty() ? "[local]" : login.peer_address,
                       login.user, database, encryption);
}

HbaVerdict rejected(HbaLogin const& login, int major) {
    return {LoginMethod::refused, fmt::format("pg_hba.conf rejects {}connection for {}",
                                              login.is_replication ? "replication " : "", who(login, major))};
}

HbaVerdict no_entry(HbaLogin const& login, int major) {
    return {LoginMethod::refused, fmt::format("no pg_hba.conf entry for {}{}",
                                              login.is_replication ? "replication connection from " : "",
                                              who(login, major))};
}

HbaVerdict verdict_of(HbaLine const& line, HbaLogin const& login, int major) {
    if (line.method == "reject") return rejected(login, major);
    auto const asks_certificate = [](std::string const& option) { return option.starts_with("clientcert="); };
    if (std::ranges::any_of(line.options, asks_certificate)) {
        return {LoginMethod::refused,
                fmt::format("pg_hba.conf line {} asks for a client certificate, which pgtandem's endpoint does not pass "
                            "on to the server",
                            line.number)};
    }
    if (line.method == "scram-sha-256") return {LoginMethod::scram};
    if (line.method == "md5") return {LoginMethod::scram_or_md5};
    if (line.method == "password") return {LoginMethod::password};
    if (line.method == "trust") return {LoginMethod::trust};
    return {LoginMethod::refused, fmt::format("authentication method \"{}\" of pg_hba.conf line {} is not supported by "
                                              "pgtandem's endpoint",
                                              line.method, line.number)};
}

}  // namespace

HbaVerdict evaluate_hba(std::vector<HbaLine> const& lines, HbaLogin const& login, int major) {
    auto const found = std::ranges::find_if(lines, [&](auto const& line) { return line_matches(line, login); });
    return found == lines.end() ? no_entry(login, major) : verdict_of(*found, login, major);
}

std::set<std::string> hba_patterns(std::vector<HbaLine> const& lines) {
    std::set<std::string> patterns;
    for (auto const& line : lines) {
        for (auto const* words : {&line.databases, &line.users}) {
            for (auto const& word : *words) {
                if (word.starts_with('/')) patterns.insert(word.substr(1));
            }
        }
    }
    return patterns;
}

}  // namespace pgtandem::proxy
