#include "pg/conninfo.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <map>
#include <memory>

namespace pgtandem {

namespace {

// What libpq itself reads out of a connection string.
std::map<std::string, std::string> as_libpq_reads(std::string const& text) {
    char* error = nullptr;
    std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> const options(PQconninfoParse(text.c_str(), &error),
                                                                               &PQconninfoFree);
    EXPECT_EQ(error, nullptr) << error;
    std::map<std::string, std::string> values;
    if (!options) return values;
    for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) values[option->keyword] = option->val;
    }
    return values;
}

Conninfo awkward() {
    Conninfo conninfo{"/var/run/a b", 6441, "it's \\ me", "data base"};
    conninfo.password = "secret";
    conninfo.passfile = "/tmp/p'ass";
    conninfo.application_name = "node 2";
    return conninfo;
}

}  // namespace

TEST(Conninfo, libpq_reads_the_keywords_back) {
    auto conninfo = awkward();
    conninfo.replication = true;
    auto const read = as_libpq_reads(to_keywords(conninfo));
    EXPECT_EQ(read, (std::map<std::string, std::string>{{"host", conninfo.host},
                                                        {"port", "6441"},
                                                        {"user", conninfo.user},
                                                        {"dbname", conninfo.database},
                                                        {"passfile", conninfo.passfile},
                                                        {"application_name", conninfo.application_name},
                                                        {"replication", "true"}}));
}

TEST(Conninfo, libpq_reads_the_uri_back) {
    for (auto const* host : {"/var/run/a b", "127.0.0.1", "::1", "db.example.org"}) {
        auto conninfo = awkward();
        conninfo.host = host;
        auto const read = as_libpq_reads(to_uri(conninfo));
        EXPECT_EQ(read, (std::map<std::string, std::string>{{"host", host},
                                                            {"port", "6441"},
                                                            {"user", conninfo.user},
                                                            {"dbname", conninfo.database},
                                                            {"passfile", conninfo.passfile}}));
    }
}

TEST(Conninfo, never_writes_the_password_down) {
    for (auto const& text : {to_keywords(awkward()), to_uri(awkward()), to_address(awkward())}) {
        EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
}

TEST(Conninfo, says_where_in_a_message) {
    EXPECT_EQ(to_address({"127.0.0.1", 6441, "u", "d"}), "127.0.0.1:6441");
    EXPECT_EQ(to_address({"/run/x", 6441, "u", "d"}), "socket /run/x/.s.PGSQL.6441");
}

}  // namespace pgtandem
