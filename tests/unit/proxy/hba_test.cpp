#include "proxy/hba.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

using Words = std::vector<std::string>;

std::vector<HbaName> names(Words const& words, Quoting quoting = Quoting::bare) {
    std::vector<HbaName> made;
    for (auto const& word : words) made.push_back({word, quoting});
    return made;
}

HbaLine host(Words const& databases, Words const& users, std::string address, std::string mask, std::string method) {
    return {1, "host", names(databases), names(users), {std::move(address)}, std::move(mask), std::move(method)};
}

HbaLine line(std::string type, std::string database, std::string user, std::string address = "all") {
    return {1, std::move(type), names({std::move(database)}), names({std::move(user)}), {std::move(address)}, "", "scram-sha-256"};
}

HbaLogin login(std::string user = "anna", std::string database = "shop", std::string address = "10.1.2.3") {
    HbaLogin made;
    made.user = user;
    made.database = std::move(database);
    made.peer_address = std::move(address);
    made.roles = {user};
    return made;
}

HbaVerdict of(HbaLines const& lines, HbaLogin const& who, int major = 15) { return evaluate_hba(lines, who, major); }

bool lets_in(HbaLine const& only, HbaLogin const& who, int major = 15) { return of({only}, who, major).method == LoginMethod::scram; }

}  // namespace

TEST(Hba, the_first_line_that_matches_decides) {
    std::vector<HbaLine> const lines{host({"other"}, {"all"}, "all", "", "trust"),
                                     host({"shop"}, {"all"}, "all", "", "reject"),
                                     host({"all"}, {"all"}, "all", "", "trust")};
    EXPECT_EQ(of(lines, login(), 15).method, LoginMethod::refused);
    EXPECT_EQ(of(lines, login("anna", "other"), 15).method, LoginMethod::trust);
    EXPECT_EQ(of(lines, login("anna", "third"), 15).method, LoginMethod::trust);
}

TEST(Hba, types_and_encryption) {
    struct Case {
        char const* type;
        bool plain, tls, local;
    };
    for (auto const& row : {Case{"local", false, false, true}, Case{"host", true, true, false},
                            Case{"hostssl", false, true, false}, Case{"hostnossl", true, false, false},
                            Case{"hostgssenc", false, false, false}, Case{"hostnogssenc", true, true, false}}) {
        auto const only = line(row.type, "all", "all");
        auto who = login();
        EXPECT_EQ(lets_in(only, who), row.plain) << row.type;
        who.is_tls = true;
        EXPECT_EQ(lets_in(only, who), row.tls) << row.type;
        EXPECT_EQ(lets_in(only, login("anna", "shop", "")), row.local) << row.type;
    }
}

TEST(Hba, databases) {
    auto const is_in = [](std::string const& word, HbaLogin const& who) { return lets_in(line("host", word, "all"), who); };
    EXPECT_TRUE(is_in("all", login()));
    EXPECT_TRUE(is_in("shop", login()));
    EXPECT_FALSE(is_in("Shop", login()));
    EXPECT_FALSE(is_in("replication", login("anna", "replication")));
    EXPECT_TRUE(is_in("sameuser", login("anna", "anna")));
    EXPECT_FALSE(is_in("sameuser", login()));
    auto member = login();
    member.roles.insert("shop");
    for (auto const* word : {"samerole", "samegroup"}) {
        EXPECT_TRUE(is_in(word, member));
        EXPECT_FALSE(is_in(word, login()));
    }
}

TEST(Hba, physical_replication_matches_its_own_word_only) {
    auto who = login("anna", "");
    who.is_replication = true;
    EXPECT_TRUE(lets_in(line("host", "replication", "all"), who));
    for (auto const* word : {"all", "", "sameuser", "samerole"}) EXPECT_FALSE(lets_in(line("host", word, "all"), who));
}

TEST(Hba, users) {
    auto const is_in = [](std::string const& word, HbaLogin const& who) { return lets_in(line("host", "all", word), who); };
    EXPECT_TRUE(is_in("all", login()));
    EXPECT_TRUE(is_in("anna", login()));
    EXPECT_FALSE(is_in("bert", login()));
    EXPECT_TRUE(is_in("+anna", login()));
    EXPECT_FALSE(is_in("+staff", login()));
    auto member = login();
    member.roles.insert("staff");
    EXPECT_TRUE(is_in("+staff", member));
}

TEST(Hba, regular_expressions_as_the_server_found_them) {
    auto who = login();
    who.user_patterns = {"^an"};
    who.database_patterns = {"op$"};
    EXPECT_TRUE(lets_in(line("host", "/op$", "/^an"), who, 16));
    EXPECT_FALSE(lets_in(line("host", "/^an", "/^an"), who, 16));
    EXPECT_FALSE(lets_in(line("host", "/op$", "/op$"), who, 16));
    EXPECT_EQ(hba_patterns({{line("host", "/op$", "/^an"), line("host", "a", "b")}, {line("host", "all", "/")}}),
              (std::set<std::string>{"", "^an", "op$"}));
    // Before 16 it is a name like another; from then on it is no name.
    EXPECT_TRUE(lets_in(line("host", "all", "/anna"), login("/anna"), 15));
    EXPECT_FALSE(lets_in(line("host", "all", "/anna"), login("/anna"), 16));
}

TEST(Hba, addresses) {
    struct Case {
        char const *address, *mask, *peer;
        bool matches;
    };
    for (auto const& row :
         {Case{"10.1.0.0", "255.255.0.0", "10.1.2.3", true}, Case{"10.1.0.0", "255.255.0.0", "10.2.2.3", false},
          Case{"127.0.0.1", "255.255.255.255", "127.0.0.1", true}, Case{"::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1", true},
          Case{"0.0.0.0", "0.0.0.0", "::1", false}, Case{"::", "::", "10.1.2.3", false}, Case{"all", "", "::1", true},
          Case{"::ffff:0.0.0.0", "::", "::1", true}, Case{"::ffff:127.0.0.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "127.0.0.1", false},
          Case{"localhost", "", "127.0.0.1", false}, Case{"samehost", "", "192.168.7.5", true},
          Case{"samehost", "", "192.168.7.6", false}, Case{"samenet", "", "192.168.7.6", true},
          Case{"samenet", "", "192.168.8.6", false}}) {
        auto who = login("anna", "shop", row.peer);
        who.server_networks = std::vector{Network{*IpAddress::parse("192.168.7.5"), *IpAddress::parse("255.255.255.0")}};
        EXPECT_EQ(lets_in(host({"all"}, {"all"}, row.address, row.mask, "scram-sha-256"), who), row.matches)
            << row.address << " " << row.peer;
    }
}

TEST(Hba, by_a_line_that_cannot_be_judged_nobody_gets_in) {
    auto const anyone = host({"all"}, {"all"}, "all", "", "trust");
    auto unsure = host({"all"}, {"anna"}, "all", "", "reject");
    unsure.databases = names({"all"}, Quoting::unknown);
    for (auto const* method : {"reject", "scram-sha-256", "trust"}) {
        for (auto const* address : {"some.example.com", ".com", "samehost", "samenet"}) {
            EXPECT_EQ(of({host({"all"}, {"all"}, address, "", method), anyone}, login()).method, LoginMethod::refused) << address;
            EXPECT_EQ(of({host({"all"}, {"bert"}, address, "", method), anyone}, login()).method, LoginMethod::trust) << address;
        }
        unsure.method = method;
        EXPECT_EQ(of({unsure, anyone}, login()).method, LoginMethod::refused);
        EXPECT_EQ(of({unsure, anyone}, login("bert")).method, LoginMethod::trust);
    }
    // With and without quotes it is the same.
    EXPECT_EQ(of({unsure, anyone}, login("anna", "all")).method, LoginMethod::trust);
    unsure.method = "password";
    EXPECT_EQ(of({unsure, anyone}, login("anna", "all")).method, LoginMethod::password);
    EXPECT_EQ(of({anyone}, login("anna", "shop", "no address")).method, LoginMethod::refused);
}

TEST(Hba, a_host_name_is_the_one_the_address_has_if_it_leads_back) {
    auto const by_name = [](std::string const& wanted, std::optional<PeerName> const& name) {
        auto who = login();
        who.peer_name = name;
        return of({host({"all"}, {"all"}, wanted, "", "trust"), host({"all"}, {"all"}, "all", "", "password")}, who);
    };
    EXPECT_TRUE(by_name("x.example.com", std::nullopt).needs_peer_name);
    PeerName const good{Match::yes, "X.Example.com", Match::yes};
    for (auto const* wanted : {"x.example.com", "X.EXAMPLE.COM", ".example.com", ".com"}) {
        EXPECT_EQ(by_name(wanted, good).method, LoginMethod::trust) << wanted;
        EXPECT_EQ(by_name(wanted, PeerName{Match::yes, good.name, Match::no}).method, LoginMethod::password);
        EXPECT_EQ(by_name(wanted, PeerName{Match::yes, good.name, Match::unknown}).method, LoginMethod::refused);
        EXPECT_EQ(by_name(wanted, PeerName{Match::no}).method, LoginMethod::password);
        EXPECT_EQ(by_name(wanted, PeerName{Match::unknown}).method, LoginMethod::refused);
        EXPECT_FALSE(by_name(wanted, PeerName{Match::unknown}).needs_peer_name);
    }
    for (auto const* wanted : {"example.com", "y.example.com", ".x.example.com", "x.example.com.", "."}) {
        EXPECT_EQ(by_name(wanted, good).method, LoginMethod::password) << wanted;
    }
    // In quotes a word is a name.
    auto quoted = host({"all"}, {"all"}, "all", "", "trust");
    quoted.address.quoting = Quoting::quoted;
    EXPECT_TRUE(of({quoted}, login()).needs_peer_name);
    quoted.address.quoting = Quoting::unknown;
    EXPECT_EQ(of({quoted}, login()), (HbaVerdict{LoginMethod::refused, of({quoted}, login()).refusal}));
    quoted.address.text = "10.1.2.3";
    quoted.netmask = "255.255.255.255";
    EXPECT_EQ(of({quoted}, login()).method, LoginMethod::trust);
}

TEST(Hba, of_several_files_that_may_be_in_effect_all_have_to_agree) {
    HbaLines const open{host({"all"}, {"all"}, "all", "", "trust")};
    HbaLines const weaker{host({"all"}, {"bert"}, "all", "", "reject"), host({"all"}, {"all"}, "all", "", "trust")};
    using Candidates = std::vector<HbaLines>;
    EXPECT_EQ(evaluate_hba(Candidates{open, weaker}, login(), 15).method, LoginMethod::trust);
    EXPECT_EQ(evaluate_hba(Candidates{open, weaker}, login("bert"), 15).method, LoginMethod::refused);
    EXPECT_EQ(evaluate_hba(Candidates{weaker, open}, login("bert"), 15).method, LoginMethod::refused);
    EXPECT_EQ(evaluate_hba(Candidates{}, login(), 15).method, LoginMethod::refused);
}

TEST(Hba, methods) {
    auto const method = [](std::string const& name) {
        return of({host({"all"}, {"all"}, "all", "", name)}, login(), 15);
    };
    EXPECT_EQ(method("scram-sha-256").method, LoginMethod::scram);
    EXPECT_EQ(method("md5").method, LoginMethod::scram_or_md5);
    EXPECT_EQ(method("password").method, LoginMethod::password);
    EXPECT_EQ(method("trust").method, LoginMethod::trust);
    for (auto const* name : {"cert", "ldap", "gss", "sspi", "peer", "ident", "pam", "radius", "bsd", "oauth", "new"}) {
        EXPECT_EQ(method(name).method, LoginMethod::refused);
        EXPECT_NE(method(name).refusal.find(name), std::string::npos);
    }
}

TEST(Hba, a_client_certificate_cannot_be_passed_on) {
    auto only = host({"all"}, {"all"}, "all", "", "scram-sha-256");
    only.options = {"clientcert=verify-full"};
    auto const verdict = of({only}, login(), 15);
    EXPECT_EQ(verdict.method, LoginMethod::refused);
    EXPECT_NE(verdict.refusal.find("client certificate"), std::string::npos);
}

TEST(Hba, words_in_quotes_are_names) {
    auto const quoted = [](std::string word, HbaLogin const& who) {
        auto only = line("host", "all", "all");
        only.databases = names({word}, Quoting::quoted);
        return lets_in(only, who);
    };
    EXPECT_FALSE(quoted("all", login()));
    EXPECT_TRUE(quoted("all", login("anna", "all")));
    EXPECT_FALSE(quoted("sameuser", login("anna", "anna")));
    EXPECT_TRUE(quoted("replication", login("anna", "replication")));
    auto replica = login("anna", "");
    replica.is_replication = true;
    EXPECT_FALSE(quoted("replication", replica));
    auto of_group = line("host", "all", "+anna");
    EXPECT_TRUE(lets_in(of_group, login()));
    of_group.users = names({"+anna"}, Quoting::quoted);
    EXPECT_FALSE(lets_in(of_group, login()));
    EXPECT_TRUE(lets_in(of_group, login("+anna")));
}

TEST(Hba, refuses_with_the_words_of_postgresql) {
    auto const rejects = host({"all", "replication"}, {"all"}, "all", "", "reject");
    auto secure = login();
    secure.is_tls = true;
    auto replica = login("anna", "");
    replica.is_replication = true;
    EXPECT_EQ(of({rejects}, login(), 15).refusal,
              "pg_hba.conf rejects connection for host \"10.1.2.3\", user \"anna\", database \"shop\", no encryption");
    EXPECT_EQ(of({rejects}, replica, 15).refusal,
              "pg_hba.conf rejects replication connection for host \"10.1.2.3\", user \"anna\", no encryption");
    EXPECT_EQ(of({}, secure, 18).refusal,
              "no pg_hba.conf entry for host \"10.1.2.3\", user \"anna\", database \"shop\", SSL encryption");
    EXPECT_EQ(of({}, replica, 15).refusal,
              "no pg_hba.conf entry for replication connection from host \"10.1.2.3\", user \"anna\", no encryption");
    EXPECT_EQ(of({}, login("anna", "shop", ""), 15).refusal,
              "no pg_hba.conf entry for host \"[local]\", user \"anna\", database \"shop\", no encryption");
    EXPECT_EQ(of({}, login(), 13).refusal,
              "no pg_hba.conf entry for host \"10.1.2.3\", user \"anna\", database \"shop\", SSL off");
}

}  // namespace pgtandem::proxy
