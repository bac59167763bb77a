#include "proxy/hba.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace pgtandem::proxy {

namespace {

Match known(bool matches) { return matches ? Match::yes : Match::no; }

// All of them have to match.
Match all_of(std::initializer_list<Match> parts) {
    if (std::ranges::find(parts, Match::no) != parts.end()) return Match::no;
    return std::ranges::find(parts, Match::unknown) == parts.end() ? Match::yes : Match::unknown;
}

// 'matches' says it for a word that stands in quotes, and for one that does not.
template <typename Matches>
Match match(HbaName const& name, Matches const& matches) {
    if (name.quoting != Quoting::unknown) return known(matches(name.quoting == Quoting::quoted));
    bool const if_bare = matches(false);
    return if_bare == matches(true) ? known(if_bare) : Match::unknown;
}

template <typename Matches>
Match match_any(std::vector<HbaName> const& names, Matches const& matches) {
    auto found = Match::no;
    for (auto const& name : names) {
        auto const one = match(name, [&](bool is_quoted) { return matches(name.text, is_quoted); });
        if (one == Match::yes) return one;
        if (one == Match::unknown) found = one;
    }
    return found;
}

bool type_matches(HbaLine const& line, HbaLogin const& login) {
    if (login.peer_address.empty()) return line.type == "local";
    if (line.type == "host" || line.type == "hostnogssenc") return true;
    if (line.type == "hostssl") return login.is_tls;
    if (line.type == "hostnossl") return !login.is_tls;
    return false;  // local; hostgssenc: GSS encryption is not offered
}

bool is_own_address(Network const& own, IpAddress const& peer) { return own.address == peer; }
bool is_in_own_network(Network const& own, IpAddress const& peer) { return own.contains(peer); }

Match match_own(HbaLogin const& login, IpAddress const& peer, bool (*matches)(Network const&, IpAddress const&)) {
    if (!login.server_networks) return Match::unknown;
    return known(std::ranges::any_of(*login.server_networks, [&](auto const& own) { return matches(own, peer); }));
}

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

// ".example.com" stands for every name that ends so.
bool is_named(std::string_view wanted, std::string_view name) {
    if (wanted.starts_with('.') && name.size() > wanted.size()) name.remove_prefix(name.size() - wanted.size());
    return std::ranges::equal(wanted, name, {}, lower, lower);
}

Match match_host_name(std::string const& wanted, HbaLogin const& login) {
    auto const& peer = login.peer_name;
    if (!peer) return Match::unknown;
    if (peer->has_name != Match::yes) return peer->has_name;
    return is_named(wanted, peer->name) ? peer->leads_back : Match::no;
}

bool is_keyword(std::string const& address) { return address == "all" || address == "samehost" || address == "samenet"; }

bool is_host_name(HbaLine const& line) {
    auto const& [address, quoting] = line.address;
    return is_keyword(address) ? quoting == Quoting::quoted : !IpAddress::parse_as_written(address);
}

Match match_address(HbaLine const& line, HbaLogin const& login) {
    if (line.type == "local") return Match::yes;
    auto const peer = IpAddress::parse(login.peer_address);
    auto const& [address, quoting] = line.address;
    if (!peer || (quoting == Quoting::unknown && is_keyword(address))) return Match::unknown;
    if (is_host_name(line)) return match_host_name(address, login);
    if (address == "all") return Match::yes;
    if (address == "samehost") return match_own(login, *peer, is_own_address);
    if (address == "samenet") return match_own(login, *peer, is_in_own_network);
    auto const mask = IpAddress::parse_as_written(line.netmask);
    return mask ? known(Network{*IpAddress::parse_as_written(address), *mask}.contains(*peer)) : Match::unknown;
}

bool is_pattern(std::string const& word, int major) { return major >= 16 && word.starts_with('/'); }

bool matches_name(std::string const& word, std::string const& name, std::set<std::string> const& patterns, int major) {
    return is_pattern(word, major) ? patterns.contains(word.substr(1)) : word == name;
}

bool database_matches(std::string const& word, bool is_quoted, HbaLogin const& login, int major) {
    if (login.is_replication) return word == "replication" && !is_quoted;
    if (!is_quoted) {
        if (word == "all") return true;
        if (word == "sameuser") return login.database == login.user;
        if (word == "samerole" || word == "samegroup") return login.roles.contains(login.database);
        if (word == "replication") return false;
    }
    return matches_name(word, login.database, login.database_patterns, major);
}

bool user_matches(std::string const& word, bool is_quoted, HbaLogin const& login, int major) {
    if (!is_quoted) {
        if (word.starts_with('+')) return login.roles.contains(word.substr(1));
        if (word == "all") return true;
    }
    return matches_name(word, login.user, login.user_patterns, major);
}

Match match_line(HbaLine const& line, HbaLogin const& login, int major) {
    if (!type_matches(line, login)) return Match::no;
    auto const is_database = [&](auto const& word, bool is_quoted) { return database_matches(word, is_quoted, login, major); };
    auto const is_user = [&](auto const& word, bool is_quoted) { return user_matches(word, is_quoted, login, major); };
    return all_of({match_address(line, login), match_any(line.databases, is_database), match_any(line.users, is_user)});
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

// Names and addresses are the administrator's own business: the client hears the line's number.
HbaVerdict cannot_be_judged(HbaLine const& line, HbaLogin const& login) {
    bool const needs_name = line.type != "local" && is_host_name(line) && !login.peer_name;
    return {LoginMethod::refused,
            fmt::format("pgtandem's endpoint cannot tell whether pg_hba.conf line {} is meant for this connection", line.number), needs_name};
}

}  // namespace

HbaVerdict evaluate_hba(HbaLines const& lines, HbaLogin const& login, int major) {
    for (auto const& line : lines) {
        auto const matches = match_line(line, login, major);
        if (matches == Match::yes) return verdict_of(line, login, major);
        if (matches == Match::unknown) return cannot_be_judged(line, login);
    }
    return no_entry(login, major);
}

HbaVerdict evaluate_hba(std::vector<HbaLines> const& candidates, HbaLogin const& login, int major) {
    std::optional<HbaVerdict> found;
    for (auto const& lines : candidates) {
        auto verdict = evaluate_hba(lines, login, major);
        if (verdict.needs_peer_name) return verdict;
        if (!found) found = std::move(verdict);
        else if (found->method != verdict.method) {
            return {LoginMethod::refused, "pg_hba.conf was changed about when the server loaded it: whether this connection is "
                                          "permitted is not known until it is loaded again"};
        }
    }
    return found.value_or(HbaVerdict{LoginMethod::refused, "which lines of pg_hba.conf are in effect is not known"});
}

HbaVerdict HbaCase::verdict(PeerName name) && {
    login.peer_name = std::move(name);
    return evaluate_hba(candidates, login, major);
}

std::set<std::string> hba_patterns(std::vector<HbaLines> const& candidates) {
    std::set<std::string> patterns;
    for (auto const& lines : candidates) {
        for (auto const& line : lines) {
            for (auto const* names : {&line.databases, &line.users}) {
                for (auto const& name : *names) {
                    if (name.text.starts_with('/')) patterns.insert(name.text.substr(1));
                }
            }
        }
    }
    return patterns;
}

}  // namespace pgtandem::proxy
