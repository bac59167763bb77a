#include "sql/catalog_facts.hpp"

#include <gtest/gtest.h>

#include "sql/analyze.hpp"

namespace pgtandem::sql {
namespace {

using Rows = std::vector<CatalogFacts::Row>;

std::string pins_of(std::string_view text, Rows const& rows, FunctionOverrides const& overrides = {}) {
    auto const facts = CatalogFacts::from_rows(rows, overrides);
    if (!facts) return facts.error().line();
    return analyze(text, true, *facts).statements.at(0).pins.names();
}

TEST(catalog_facts, volatile_functions_are_suspect_where_they_are_called) {
    Rows const rows{{"function", "f", {}, "volatile"}};
    EXPECT_EQ(pins_of("SELECT f(1)", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT a.F FROM a", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT f FROM a", rows), "");
    EXPECT_EQ(pins_of("SELECT f(1)", rows, {{"f"}, {}}), "");
    EXPECT_EQ(pins_of("SELECT g(1)", rows, {{}, {"g"}}), "unproven");
}

TEST(catalog_facts, what_a_stable_function_calls_makes_it_suspect) {
    Rows const rows{{"code", "outer_one", {}, "begin return inner_one(); end"},
                    {"code", "inner_one", {}, "SELECT nextval('s')"}};
    EXPECT_EQ(pins_of("SELECT outer_one()", rows), "drawn number");
}

TEST(catalog_facts, what_the_user_says_of_a_function_whose_code_is_known_counts_for_its_callers) {
    // Whichever of them is met first.
    Rows const rows{{"code", "a", {}, "SELECT 1"}, {"code", "calls_a", {}, "SELECT a()"}, {"body", "b", {}, "SELECT 1"}, {"body", "calls_b", {}, "SELECT b()"},
                    {"code", "d_calls_z", {}, "SELECT z()"}, {"code", "z", {}, "SELECT 1"}, {"calls", "sum_up", "a", {}}};
    for (auto const* const text : {"SELECT calls_a()", "SELECT calls_b()", "SELECT d_calls_z()", "SELECT sum_up(x) FROM t"}) {
        EXPECT_EQ(pins_of(text, rows), "");
        EXPECT_EQ(pins_of(text, rows, {{}, {"a", "b", "z"}}), "unproven") << text;
    }
}

TEST(catalog_facts, a_function_that_only_reads_does_what_its_operators_and_relations_do) {
    Rows const rows{{"function", "f", {}, "volatile"}, {"operator", "<>", "f", {}}, {"operator", "<->", "f", {}},
                    {"relation", "1", "v", {}},        {"uses", "1", "f", "r"},     {"relation", "2", "w", {}}, {"uses", "2", "f", "w"},
                    {"code", "far", {}, "SELECT 1 <-> 2"}, {"code", "near", {}, "SELECT 1 <# 2"}, {"code", "reads_v", {}, "SELECT 1 FROM v"},
                    {"code", "reads_w", {}, "SELECT 1 FROM w"}, {"code", "unequal", {}, "SELECT 1 != 2"}, {"calls", "agg", "reads_v", {}},
                    {"code", "runs", {}, "begin execute x; end"}, {"code", "foreign_one", "plperl", "return 1"}, {"code", "calls_far", {}, "SELECT far()"}};
    auto const facts = CatalogFacts::from_rows(rows, {});
    ASSERT_TRUE(facts);
    for (auto const* const name : {"far", "reads_v", "unequal", "agg", "runs", "foreign_one", "calls_far"}) EXPECT_EQ(facts->function(name), Pin::unproven) << name;
    for (auto const* const name : {"near", "reads_w"}) EXPECT_TRUE(facts->function(name).empty()) << name;
}

TEST(catalog_facts, maintenance_runs_what_tables_run_when_they_are_written) {
    Rows rows{{"relation", "1", "pg_settings", "view"}, {"uses", "1", "set_config", "w"}, {"relation", "2", "t", {}}};
    EXPECT_EQ(pins_of("UPDATE pg_settings SET setting = '1'", rows), "unproven");
    for (auto const* const text : {"VACUUM", "ANALYZE t", "REINDEX TABLE t", "CLUSTER"}) EXPECT_EQ(pins_of(text, rows), "") << text;
    rows.push_back({"uses", "2", "pg_try_advisory_lock", "w"});
    for (auto const* const text : {"VACUUM", "ANALYZE t", "REINDEX TABLE t", "CLUSTER"}) EXPECT_EQ(pins_of(text, rows), "advisory lock") << text;
}

TEST(catalog_facts, what_a_function_that_writes_names_makes_it_suspect) {
    Rows const rows{{"body", "touch", {}, "begin new.at := now(); return new; end"},
                    {"relation", "1", "t", "identity"},
                    {"uses", "1", "touch", "w"},
                    {"body", "add_t", {}, "begin insert into t values (1); end"},
                    {"body", "add_twice", {}, "select add_t(), add_t()"},
                    {"body", "sets", {}, "begin set x.y = 1; end"},
                    {"body", "calls_set_config", {}, "begin perform set_config('x.y', '1', false); end"},
                    {"relation", "2", "u", {}},
                    {"uses", "2", "sets", "w"},
                    {"body", "add_u", {}, "begin insert into u values (1); end"},
                    {"relation", "3", "v", {}},
                    {"edge", "3", "2", "ww"},
                    {"uses", "3", "add_u", "r"},
                    {"body", "hides", {}, "select 1 from pg_temp.t"}};
    EXPECT_EQ(pins_of("UPDATE t SET a = 1", rows), "");
    EXPECT_EQ(pins_of("INSERT INTO t VALUES (1)", rows), "drawn number");
    EXPECT_EQ(pins_of("SELECT add_t()", rows), "drawn number");
    EXPECT_EQ(pins_of("SELECT add_twice()", rows), "drawn number");
    EXPECT_EQ(pins_of("SELECT sets()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT calls_set_config()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT add_u()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT * FROM v", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT hides()", rows), "temporary table, unproven, drawn number");
    // Any operator may be in it.
    Rows operators = rows;
    operators.push_back({"operator", "<->", "sets", {}});
    EXPECT_EQ(pins_of("SELECT add_twice()", operators), "unproven, drawn number");
}

TEST(catalog_facts, of_code_that_is_too_long_anything_is_to_be_expected) {
    std::string const blanks(function_code_max, ' ');
    Rows const rows{{"code", "f", {}, "SELECT 1" + blanks}, {"body", "g", {}, "SELECT 1" + blanks}, {"code", "h", {}, "SELECT f()"},
                    {"body", "short", {}, "SELECT 1"}};
    EXPECT_EQ(pins_of("SELECT f()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT g()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT h()", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT short()", rows), "");
    Rows many(1000, {"body", "f", {}, "SELECT 1" + std::string(function_code_max / 2, ' ')});
    many.push_back({"body", "last", {}, "SELECT 1"});
    EXPECT_EQ(pins_of("SELECT last()", many), "");
    many.insert(many.end(), 24, {"body", "f", {}, "SELECT 1" + std::string(function_code_max / 2, ' ')});
    many.push_back({"body", "beyond", {}, "SELECT 1"});
    EXPECT_EQ(pins_of("SELECT last()", many), "");
    EXPECT_EQ(pins_of("SELECT beyond()", many), "unproven");
}

TEST(catalog_facts, relations_are_closed_over_what_they_touch) {
    Rows const rows{{"function", "f", {}, "volatile"}, {"relation", "1", "child", {}},
                    {"relation", "2", "parent", {}},   {"relation", "3", "v", {}},
                    {"uses", "1", "f", "w"},           {"edge", "2", "1", "ww"},
                    {"edge", "3", "2", "ww"},          {"relation", "4", "keyed", "identity"}};
    EXPECT_EQ(pins_of("DELETE FROM v", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT * FROM v FOR UPDATE", rows), "");
    EXPECT_EQ(pins_of("INSERT INTO keyed DEFAULT VALUES", rows), "drawn number");
    EXPECT_EQ(pins_of("UPDATE keyed SET a = 1", rows), "");
}

TEST(catalog_facts, operators_and_what_is_used_without_being_named) {
    Rows const rows{{"function", "f", {}, "volatile"}, {"operator", "<->", "f", {}}};
    EXPECT_EQ(pins_of("SELECT a <-> b", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT a < - b", rows), "");
    EXPECT_EQ(pins_of("SELECT 1", {{"function", "f", {}, "volatile"}, {"operator", "=", "f", {}}}), "unproven");
    EXPECT_EQ(pins_of("SELECT 1", {{"function", "f", {}, "volatile"}, {"anywhere", "f", {}, "cast"}}), "unproven");
    Rows const on_ddl{{"function", "f", {}, "volatile"}, {"on_ddl", "f", {}, "e"}};
    EXPECT_EQ(pins_of("SELECT 1", on_ddl), "");
    EXPECT_EQ(pins_of("CREATE TABLE t ()", on_ddl), "unproven");
    EXPECT_EQ(pins_of("SELECT 1", {{"on_login", "harmless", {}, "e"}}), "login trigger");
}

TEST(catalog_facts, names_beyond_ascii_are_one) {
    Rows const rows{{"function", "\xc3\xa4", {}, "volatile"}};
    EXPECT_EQ(pins_of("SELECT \xe4(1)", rows), "unproven");
    EXPECT_EQ(pins_of("SELECT \"x\xc3\xb6\"(1)", rows), "unproven");
}

TEST(catalog_facts, rows_that_are_not_of_the_query_are_an_error) {
    EXPECT_FALSE(CatalogFacts::from_rows(Rows{{"function"}}, {}));
    EXPECT_FALSE(CatalogFacts::from_rows(Rows{{"nonsense", "a", "b", "r"}}, {}));
    EXPECT_FALSE(CatalogFacts::from_rows(Rows{{"uses", "1", "f", "x"}}, {}));
}

}  // namespace
}  // namespace pgtandem::sql
