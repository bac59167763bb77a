#include "sql/reach.hpp"

#include <gtest/gtest.h>

namespace pgtandem::sql {
namespace {

CatalogRows rows_of(std::vector<CatalogRows::Row> const& rows) {
    CatalogRows found;
    for (auto const& row : rows) EXPECT_TRUE(found.add(row));
    return found;
}

std::vector<CatalogRows::Row> const catalog{
    {"routines", "pg_catalog", {}, "1 1 i lower"},
    {"routines", "public", {}, "0 0 v logs"},
    {"operator", "<->", "logs", {}},
    {"relations", "pg_catalog", {}, "3v pg_stats"},
    {"relations", "public", {}, "20r plain\n21v seen\n22m stored\n23r parent\n24r child\n25r logged\n26r referenced\n27r referencing\n28r cascading\n29r lowered"},
    {"edge", "21", "20", "rr"},
    {"edge", "23", "24", "rr"},
    {"edge", "23", "24", "ww"},
    {"uses", "25", "logs", "w"},
    {"edge", "26", "27", "wr"},
    {"edge", "27", "26", "wr"},
    {"edge", "28", "27", "ww"},
    {"uses", "29", "lower", "w"},
};

TEST(Reach, WithoutACatalogEverythingReachesFurther) { EXPECT_TRUE(Reach().is_everywhere()); }

TEST(Reach, OfRelations) {
    Reach const reach(rows_of(catalog));
    EXPECT_FALSE(reach.is_everywhere());
    for (auto const* name : {"seen", "stored", "parent", "logged", "cascading"}) EXPECT_TRUE(reach.has_relation(name)) << name;
    for (auto const* name : {"plain", "child", "referenced", "referencing", "lowered", "pg_stats", "no_such"}) EXPECT_FALSE(reach.has_relation(name)) << name;
}

TEST(Reach, OfFunctionsAndOperators) {
    Reach const reach(rows_of(catalog));
    EXPECT_TRUE(reach.has_function("logs"));
    EXPECT_FALSE(reach.has_function("lower"));
    EXPECT_TRUE(reach.has_operator("<->"));
    EXPECT_FALSE(reach.has_operator("="));
}

TEST(Reach, CodeThatRunsWithoutBeingNamedIsEverywhere) {
    auto rows = catalog;
    rows.push_back({"anywhere", "logs", {}, "cast"});
    EXPECT_TRUE(Reach(rows_of(rows)).is_everywhere());
}

}  // namespace
}  // namespace pgtandem::sql
