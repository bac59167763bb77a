#include "sql/function_code.hpp"

#include <gtest/gtest.h>

namespace pgtandem::sql {
namespace {

bool is_tame(std::string_view text) { return read_function_code(text).is_tame; }

TEST(FunctionCode, WhatOnlyReadsAndWritesTablesIsTame) {
    for (auto const* text : {"", "BEGIN NEW.updated_at := now(); RETURN NEW; END", "SELECT 1",
                             "DECLARE found int; BEGIN UPDATE t SET a = 1 WHERE b = 2; IF NOT FOUND THEN INSERT INTO t VALUES (1); END IF; RETURN 1; END",
                             "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2; INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
                             "BEGIN FOR r IN SELECT * FROM t FOR UPDATE LOOP UPDATE t SET a = r.a; END LOOP; END",
                             "MERGE INTO t USING s ON true WHEN MATCHED THEN UPDATE SET a = 1", "BEGIN RAISE NOTICE 'set %', 1; END",
                             "BEGIN PERFORM pg_notify('a', 'b'); -- set x\n END", "BEGIN \"set\" := 1; END"}) {
        EXPECT_TRUE(is_tame(text)) << text;
    }
}

TEST(FunctionCode, WhatMayChangeTheSessionIsNot) {
    for (auto const* text : {"SET work_mem TO 1", "BEGIN SET LOCAL work_mem = 1; END", "UPDATE t SET a = 1; SET x.y = 1",
                             "BEGIN IF true THEN SET x.y = 1; END IF; END", "BEGIN FOR r IN SELECT 1 FOR UPDATE LOOP SET x.y = 1; END LOOP; END",
                             "BEGIN EXECUTE 'SELECT 1'; END", "BEGIN RETURN QUERY EXECUTE q; END", "RESET ALL", "DISCARD ALL",
                             "CREATE TABLE t (a int)", "create temp table t (a int)", "SELECT 1 INTO TEMPORARY t", "LISTEN a", "UNLISTEN a",
                             "PREPARE p AS SELECT 1", "DEALLOCATE p", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "LOAD 'auto_explain'",
                             "DO $$ BEGIN END $$", "DO", "SELECT e'\\n'", "SELECT U&\"d\\0061t\"", "SELECT 'open", "BEGIN -- a\nSET x.y = 1; END",
                             "ALTER TABLE t ADD b int", "DROP TABLE t", "BEGIN ELSE SET x.y = 1; END"}) {
        EXPECT_FALSE(is_tame(text)) << text;
    }
}

TEST(FunctionCode, NamesAreFoundWhereverTheyStand) {
    auto const body = read_function_code("BEGIN PERFORM a.One(2); x := ('s'::regclass).nextval; y := $q$ in_string('deeper') $q$; \"Quoted\" := 1; END");
    for (auto const* name : {"a", "one", "regclass", "nextval", "s", "in_string", "deeper", "Quoted"}) EXPECT_TRUE(body.named.contains(name)) << name;
    EXPECT_TRUE(body.is_tame);
}

TEST(FunctionCode, WhatIsCalledStandsBeforeAParenthesisOrInAString) {
    auto const code = read_function_code("SELECT one(a), two (b), c, 'three', E'\\'four(', $x$ \"Fi ve\" 'six' $x$ FROM d");
    EXPECT_EQ(code.called, (FunctionCode::Names{"$x$", "Fi", "Fi ve", "fi", "four", "one", "six", "three", "two", "ve", "x", "x$"}));
    for (auto const* name : {"a", "b", "c", "d"}) EXPECT_TRUE(code.named.contains(name)) << name;
}

TEST(FunctionCode, WhatCarriesOutATextIsSeenInWhateverForm) {
    for (auto const* text : {"BEGIN EXECUTE q INTO r; END", "BEGIN RETURN QUERY EXECUTE q; END", "BEGIN FOR r IN EXECUTE q LOOP END LOOP; END",
                             "BEGIN OPEN c FOR EXECUTE q; END", "SELECT '\\', execute '", "SELECT U&\"d\\0061t\"()"}) {
        EXPECT_TRUE(read_function_code(text).runs_text) << text;
    }
    for (auto const* text : {"SELECT 1", "SELECT a ~ '\\d+'", "SELECT E'\\n execute'", "BEGIN /* execute */ RETURN 1; END", "SELECT 'execute'"}) {
        EXPECT_FALSE(read_function_code(text).runs_text) << text;
    }
    EXPECT_TRUE(read_foreign_code("return 1").runs_text);
}

TEST(FunctionCode, ARowsFieldMayBeAFunction) { EXPECT_TRUE(read_function_code("SELECT t.evil FROM t").called.contains("evil")); }

TEST(FunctionCode, BehindAStringThatDoesNotEndEachWordCounts) {
    EXPECT_TRUE(read_function_code("SELECT 'it''s \"nextval").called.contains("nextval"));
}

TEST(FunctionCode, InOtherLanguagesEachWordCounts) {
    auto const code = read_foreign_code("plpy.execute(\"SELECT nextval('S1')\")  # it's a$b");
    for (auto const* name : {"plpy", "execute", "nextval", "S1", "s1", "s", "a$b", "a", "b"}) EXPECT_TRUE(code.called.contains(name)) << name;
    EXPECT_FALSE(code.is_tame);
}

TEST(FunctionCode, LongCodeIsNotRead) {
    std::string const text = "SELECT a" + std::string(function_code_max, ' ');
    for (auto const& code : {read_function_code(text), read_foreign_code(text)}) {
        EXPECT_TRUE(code.is_too_long);
        EXPECT_FALSE(code.is_tame);
        EXPECT_TRUE(code.named.empty());
    }
}

}  // namespace
}  // namespace pgtandem::sql
