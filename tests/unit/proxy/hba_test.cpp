#include "proxy/hba.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {

namespace {

using Words = std::vector<std::string>;

HbaLine host(Words databases, Words users, std::string address, std::string mask, std::string method) {
    return {1, "host", std::move(databases), std::move(users), std::move(address), std::move(mask), std::move(method)};
}

HbaLine line(std::string type, std::string database, std::string user, std::string address = "all") {
    return {1, std::move(type), {std::move(database)}, {std::move(user)}, std::move(address), "", "scram-sha-256"};
}

HbaLogin login(std::string user = "anna", std::string database = "shop", std::string address = "10.1.2.3") {
    HbaLogin made;
    made.user = user;
    made.database = std::move(database);
    made.peer_address = std::move(address);
    made.roles = {user};
    return made;
}

bool lets_in(HbaLine const& only, HbaLogin const& who) {
    return evaluate_hba({only}, who, 15).method == LoginMethod::scram;
}

}  // namespace

TEST(Hba, the_first_line_that_matches_decides) {
    std::vector<HbaLine> const lines{host({"other"}, {"all"}, "all", "", "trust"),
                                     host({"shop"}, {"all"}, "all", "", "reject"),
                                     host({"all"}, {"all"}, "all", "", "trust")};
    EXPECT_EQ(evaluate_hba(lines, login(), 15).method, LoginMethod::refused);
    EXPECT_EQ(evaluate_hba(lines, login("anna", "other"), 15).method, LoginMethod::trust);
    EXPECT_EQ(evaluate_hba(lines, login("anna", "third"), 15).method, LoginMethod::trust);
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
    EXPECT_TRUE(lets_in(line("host", "/op$", "/^an"), who));
    EXPECT_FALSE(lets_in(line("host", "/^an", "/^an"), who));
    EXPECT_FALSE(lets_in(line("host", "/op$", "/op$"), who));
    EXPECT_EQ(hba_patterns({line("host", "/op$", "/^an"), line("host", "a", "b")}), (std::set<std::string>{"^an", "op$"}));
    // Before 16 it is a name like another.
    EXPECT_TRUE(lets_in(line("host", "all", "/anna"), login("/anna")));
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
          Case{"localhost", "", "127.0.0.1", false}, Case{"samehost", "", "192.168.7.5", true},
          Case{"samehost", "", "192.168.7.6", false}, Case{"samenet", "", "192.168.7.6", true},
          Case{"samenet", "", "192.168.8.6", false}}) {
        auto who = login("anna", "shop", row.peer);
        who.server_networks = {{*IpAddress::parse("192.168.7.5"), *IpAddress::parse("255.255.255.0")}};
        EXPECT_EQ(lets_in(host({"all"}, {"all"}, row.address, row.mask, "scram-sha-256"), who), row.matches)
            << row.address << " " << row.peer;
    }
}

TEST(Hba, what_cannot_be_checked_still_keeps_out) {
    auto const by_name = host({"all"}, {"all"}, "bad.example.com", "", "reject");
    auto const anyone = host({"all"}, {"all"}, "all", "", "trust");
    EXPECT_EQ(evaluate_hba({by_name, anyone}, login(), 15).method, LoginMethod::refused);
}

TEST(Hba, methods) {
    auto const method = [](std::string const& name) {
        return evaluate_hba({host({"all"}, {"all"}, "all", "", name)}, login(), 15);
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
    auto const verdict = evaluate_hba({only}, login(), 15);
    EXPECT_EQ(verdict.method, LoginMethod::refused);
    EXPECT_NE(verdict.refusal.find("client certificate"), std::string::npos);
}

TEST(Hba, words_in_quotes_are_names) {
    auto const quoted = [](std::string word, HbaLogin const& who) {
        auto only = line("host", "all", "all");
        only.databases = {word};
        only.quoted.databases = {word};
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
    of_group.quoted.users = {"+anna"};
    EXPECT_FALSE(lets_in(of_group, login()));
    EXPECT_TRUE(lets_in(of_group, login("+anna")));
}

TEST(Hba, refuses_with_the_words_of_postgresql) {
    auto const rejects = host({"all", "replication"}, {"all"}, "all", "", "reject");
    auto secure = login();
    secure.is_tls = true;
    auto replica = login("anna", "");
    replica.is_replication = true;
    EXPECT_EQ(evaluate_hba({rejects}, login(), 15).refusal,
              "pg_hba.conf rejects connection for host \"10.1.2.3\", user \"anna\", database \"shop\", no encryption");
    EXPECT_EQ(evaluate_hba({rejects}, replica, 15).refusal,
              "pg_hba.conf rejects replication connection for host \"10.1.2.3\", user \"anna\", no encryption");
    EXPECT_EQ(evaluate_hba({}, secure, 18).refusal,
              "no pg_hba.conf entry for host \"10.1.2.3\", user \"anna\", database \"shop\", SSL encryption");
    EXPECT_EQ(evaluate_hba({}, replica, 15).refusal,
              "no pg_hba.conf entry for replication connection from host \"10.1.2.3\", user \"anna\", no encryption");
    EXPECT_EQ(evaluate_hba({}, login("anna", "shop", ""), 15).refusal,
              "no pg_hba.conf entry for host \"[local]\", user \"anna\", database \"shop\", no encryption");
    EXPECT_EQ(evaluate_hba({}, login(), 13).refusal,
              "no pg_hba.conf entry for host \"10.1.2.3\", user \"anna\", database \"shop\", SSL off");
}

}  // namespace pgtandem::proxy
