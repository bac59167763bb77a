#include "proxy/own_statement.hpp"

#include <gtest/gtest.h>

namespace pgtandem::proxy {
namespace {

using Kind = OwnStatement::Kind;

std::optional<OwnStatement> read(std::string_view text) { return read_own_statement(text, true); }

void expect(std::string_view text, Kind kind, std::string_view name, std::string_view value, bool is_local = false) {
    auto const own = read(text);
    ASSERT_TRUE(own) << text;
    EXPECT_EQ(own->kind, kind) << text;
    EXPECT_EQ(own->name, name) << text;
    EXPECT_EQ(own->value, value) << text;
    EXPECT_EQ(own->is_local, is_local) << text;
}

TEST(OwnStatement, IsReadAsPostgresqlReadsItsOwn) {
    expect("SET pgtandem.route = primary", Kind::set, "pgtandem.route", "primary");
    expect(" set Session PGTANDEM.Route TO 'Replica' ; ", Kind::set, "pgtandem.route", "Replica");
    expect("SET LOCAL pgtandem.route = 1", Kind::set, "pgtandem.route", "1", true);
    expect("SET pgtandem.floor TO '1:0/3000148'", Kind::set, "pgtandem.floor", "1:0/3000148");
    expect("SET pgtandem.route TO DEFAULT", Kind::reset, "pgtandem.route", "");
    expect("RESET pgtandem.consistency;", Kind::reset, "pgtandem.consistency", "");
    expect("SHOW pgtandem.floor", Kind::show, "pgtandem.floor", "");
    expect("EXPLAIN (PGTANDEM) SELECT 1; ", Kind::explain, "", " SELECT 1; ");
    expect("explain(pgtandem)select 1", Kind::explain, "", "select 1");
}

TEST(OwnStatement, AllElseIsTheServers) {
    for (auto const* text : {"", "SELECT 1", "SET pgtandemx.route = 1", "SET search_path = pgtandem", "SHOW pgtandem", "SHOW ALL",
                             "SET pgtandem.route = primary; SELECT 1", "SET pgtandem.route = a, b", "SET pgtandem.route", "RESET ALL",
                             "EXPLAIN (ANALYZE) SELECT 1", "EXPLAIN (pgtandem, analyze) SELECT 1", "EXPLAIN SELECT 1", "SETpgtandem.a = 1",
                             "SHOW \"PGTANDEM\".route", "set"}) {
        EXPECT_FALSE(read(text)) << text;
    }
}

}  // namespace
}  // namespace pgtandem::proxy
