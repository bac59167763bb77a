#include "sql/analyze.hpp"

#include <gtest/gtest.h>

#include "base/text.hpp"

namespace pgtandem::sql {
namespace {

CatalogFacts const& no_facts() {
    static CatalogFacts const facts;
    return facts;
}

Analysis analyzed(std::string_view text) { return analyze(text, true, no_facts()); }

Effects only(std::string_view text) {
    auto const analysis = analyzed(text);
    EXPECT_EQ(analysis.statements.size(), 1U) << text;
    return analysis.statements.empty() ? Effects() : analysis.statements.front();
}

struct PinCase {
    std::string_view text;
    std::string_view pins;
};

constexpr PinCase pin_cases[] = {
    {"SELECT 1", ""},
    {"select a from t where b in (1, 2) order by c", ""},
    {"(SELECT 1) UNION (SELECT 2)", ""},
    {"((with x as (select 1) select * from x))", ""},
    {"WITH x AS (SELECT 1) SELECT * FROM x", ""},
    {"WITH RECURSIVE x(n) AS (VALUES (1)) INSERT INTO t SELECT n FROM x", ""},
    {"VALUES (1), (2)", ""},
    {"TABLE t", ""},
    {"SHOW search_path", ""},
    {"INSERT INTO t VALUES ('set_config(1)')", ""},
    {"UPDATE t SET a = 1", ""},
    {"DELETE FROM t", ""},
    {"MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", ""},
    {"COPY t FROM STDIN", ""},
    {"COPY t TO PROGRAM 'cat'", ""},
    {"EXPLAIN ANALYZE SELECT 1", ""},
    {"LOCK TABLE t", ""},
    {"TRUNCATE t", ""},
    {"VACUUM t", ""},
    {"ANALYZE", ""},
    {"NOTIFY c, 'x'", ""},
    {"FETCH 1 FROM c", ""},
    {"MOVE c", ""},
    {"UNLISTEN c", ""},
    {"CREATE TABLE t (temp int, temporary text)", ""},
    {"DROP TABLE t", ""},
    {"CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", "unproven"},
    {"ALTER EVENT TRIGGER e ENABLE", "unproven"},
    {"CREATE TEMP TABLE t (a int)", "temporary table"},
    {"create temporary table t as select 1", "temporary table"},
    {"CREATE LOCAL TEMP TABLE t (a int)", "temporary table"},
    {"CREATE GLOBAL TEMPORARY TABLE t (a int)", "temporary table"},
    {"CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "temporary table"},
    {"CREATE TEMP SEQUENCE s", "temporary table"},
    {"CREATE /* x */ TEMP -- y\n TABLE t ()", "temporary table"},
    {"SELECT 1 INTO TEMP t", "temporary table"},
    {"SELECT 1 INTO LOCAL TEMPORARY TABLE t", "temporary table"},
    {"EXPLAIN ANALYZE CREATE TEMP TABLE t AS SELECT 1", "temporary table"},
    {"CREATE TABLE pg_temp.t (a int)", "temporary table, unproven"},
    {"CREATE FUNCTION \"pg_temp\".f() RETURNS int LANGUAGE sql AS 'select 1'", "temporary table, unproven"},
    {"SELECT * FROM PG_TEMP_3.t", "temporary table, unproven"},
    {"SET search_path TO pg_temp, public", "temporary table, unproven"},
    {"SET search_path = 'pg_temp'", "temporary table, unproven"},
    {"SELECT set_config('search_path', 'pg_temp', false)", "temporary table, unproven"},
    {"LISTEN c", "listen"},
    {"PREPARE p AS SELECT 1", "prepared statement"},
    {"PREPARE p (int) AS SELECT nextval('s')", "prepared statement, drawn number"},
    {"SELECT * FROM pg_prepared_statements", "statement names"},
    {"DECLARE c CURSOR WITH HOLD FOR SELECT 1", "hold cursor"},
    {"DECLARE c INSENSITIVE SCROLL CURSOR WITHOUT HOLD FOR SELECT 1", ""},
    {"DECLARE c CURSOR FOR WITH hold AS (SELECT 1) SELECT * FROM hold", ""},
    {"SELECT pg_advisory_lock(1)", "advisory lock"},
    {"SELECT pg_catalog.pg_try_advisory_lock_shared (1, 2)", "advisory lock"},
    {"SELECT \"pg_advisory_lock\"(1)", "advisory lock"},
    {"SELECT PG_ADVISORY_LOCK/* */(1)", "advisory lock"},
    {"SELECT pg_advisory_xact_lock(1)", ""},
    {"SELECT pg_advisory_lock FROM t", ""},
    {"SELECT pg_advisory_unlock(1)", ""},
    {"SELECT nextval('s')", "drawn number"},
    {"SELECT ('s'::regclass).nextval", "drawn number"},
    {"SELECT currval('s'), pg_backend_pid()", "sequence, backend identity"},
    {"(SET a TO b; c", "unproven"},
    {"SELECT setseed(0.5)", "unproven"},
    {"SELECT dblink_connect('x')", "unproven"},
    {"SELECT * FROM crosstab4('select 1')", "unproven"},
    {"SELECT query_to_xml('select 1', true, true, '')", "unproven"},
    {"SELECT U&\"\\006eextval\"('s')", "unproven"},
    {"DO $$ begin end $$", ""},
    {"do language plpgsql 'begin perform 1; end'", ""},
    {"DO $x$ begin perform nextval('s'); end $x$ LANGUAGE plpgsql", "drawn number"},
    {"DO $$ begin insert into pg_temp.t values (1); end $$", "temporary table, unproven"},
    {"DO $$ begin perform setseed(0.5); end $$", "unproven"},
    {"DO $$ begin set x.y = 1; end $$", "unproven"},
    {"DO 'begin set x.y = ''1''; end'", "unproven"},
    {"DO E'begin end'", "unproven"},
    {"DO $$ begin end $$ LANGUAGE plperl", "unproven"},
    {"DO LANGUAGE 'plpgsql' $$ begin end $$", "unproven"},
    {"DO", "unproven"},
    {"CALL p()", ""},
    {"CALL pg_catalog.setseed(1)", "unproven"},
    {"CALL p(nextval('s'))", "drawn number"},
    {"LOAD 'x'", "unproven"},
    {"FROBNICATE", "unproven"},
    {"'x'", "unproven"},
    {"SELECT 'x", "unproven"},
    {"SELECT /* x", "unproven"},
    {"SET SESSION AUTHORIZATION bob", "session authorization"},
    {"SET session_authorization TO bob", "session authorization"},
    {"RESET SESSION AUTHORIZATION", "session authorization"},
    {"SET seed TO 0.1", "unproven"},
    {"SET x FROM CURRENT", "unproven"},
    {"SET client_encoding TO 'SJIS'", "unproven, mode"},
    {"SET NAMES 'big-5'", "unproven, mode"},
    {"SET NAMES 'utf8'", ""},
    {"SET client_encoding TO E'sj\\x69s'", "unproven, mode"},
    {"SELECT set_config('client_encoding', 'GBK', false)", "unproven, mode"},
    {"SELECT set_config(a, b, true) FROM t", ""},
    {"SELECT set_config(a, b, false) FROM t", "unproven"},
    {"SELECT set_config(a, set_config(b, c, false), true)", "unproven"},
    {"SELECT set_config('a.b', current_user, is_local => true)", "unproven"},
    {"SELECT 1 WHERE set_config('a.b', 'c', false) = ''", "unproven"},
    {"SELECT pg_catalog.set_config('search_path', '', false)", ""},
    {"BEGIN FOO", "unproven"},
    {"START", "unproven"},
};

TEST(analyze, pins_for_what_a_backend_keeps) {
    for (auto const& [text, pins] : pin_cases) EXPECT_EQ(only(text).pins.names(), pins) << text;
}

struct VerbCase {
    std::string_view text;
    Verb verb;
    std::string_view name;
};

TEST(analyze, tells_verb_and_name) {
    static constexpr VerbCase cases[] = {
        {"/* x */ SELECT 1", Verb::select, ""},
        {"WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM x", Verb::select, ""},
        {"WITH x AS (SELECT 1) UPDATE t SET a = 1", Verb::update, ""},
        {"BEGIN", Verb::begin, ""},
        {"start transaction", Verb::begin, ""},
        {"COMMIT", Verb::commit, ""},
        {"END TRANSACTION", Verb::commit, ""},
        {"ABORT", Verb::rollback, ""},
        {"ROLLBACK WORK", Verb::rollback, ""},
        {"COMMIT PREPARED 'x'", Verb::commit_prepared, ""},
        {"ROLLBACK PREPARED 'x'", Verb::rollback_prepared, ""},
        {"PREPARE TRANSACTION 'x'", Verb::prepare_transaction, ""},
        {"SAVEPOINT Ab", Verb::savepoint, "ab"},
        {"RELEASE \"Ab\"", Verb::release, "Ab"},
        {"RELEASE SAVEPOINT a", Verb::release, "a"},
        {"ROLLBACK TO SAVEPOINT a", Verb::rollback_to, "a"},
        {"ROLLBACK TRANSACTION TO a", Verb::rollback_to, "a"},
        {"PREPARE p AS SELECT 1", Verb::prepare, "p"},
        {"EXECUTE \"p\"\"q\"(1)", Verb::execute, "p\"q"},
        {"DEALLOCATE PREPARE p", Verb::deallocate, "p"},
        {"DEALLOCATE ALL", Verb::deallocate_all, ""},
        {"DEALLOCATE \"all\"", Verb::deallocate, "all"},
        {"DISCARD ALL", Verb::discard_all, ""},
        {"DISCARD PLANS", Verb::discard_other, ""},
        {"LISTEN c", Verb::listen, "c"},
        {"UNLISTEN *", Verb::unlisten_all, ""},
        {"DECLARE c CURSOR FOR SELECT 1", Verb::declare, "c"},
        {"CLOSE ALL", Verb::close_all, ""},
        {"SET TRANSACTION READ ONLY", Verb::set_transaction, ""},
        {"SET transaction_isolation TO serializable", Verb::set_transaction, ""},
        {"SET CONSTRAINTS ALL DEFERRED", Verb::set, ""},
        {"GRANT SELECT ON t TO u", Verb::ddl, ""},
        {"DROP DATABASE IF EXISTS \"My db\" WITH (FORCE)", Verb::ddl, "My db"},
        {"drop database X", Verb::ddl, "x"},
        {"DROP TABLE x", Verb::ddl, ""},
        {"CREATE DATABASE x", Verb::ddl, "template1"},
        {"CREATE DATABASE x OWNER y TEMPLATE = z ENCODING 'UTF8'", Verb::ddl, "z"},
        {"CREATE DATABASE template WITH TEMPLATE \"Z\"", Verb::ddl, "Z"},
        {"ALTER DATABASE x RENAME TO y", Verb::ddl, "x"},
        {"ALTER DATABASE x SET TABLESPACE y", Verb::ddl, "x"},
        {"ALTER DATABASE x SET work_mem TO 1", Verb::ddl, ""},
    };
    for (auto const& [text, verb, name] : cases) {
        auto const effects = only(text);
        EXPECT_EQ(effects.verb, verb) << text;
        EXPECT_EQ(effects.name, name) << text;
    }
}

TEST(analyze, unpins_what_is_given_up) {
    static constexpr PinCase cases[] = {
        {"UNLISTEN *", "listen"},
        {"UNLISTEN c", ""},
        {"DEALLOCATE ALL", "prepared statement, statement names"},
        {"DEALLOCATE p", ""},
        {"CLOSE ALL", "hold cursor"},
        {"DISCARD TEMP", "temporary table"},
        {"DISCARD SEQUENCES", "sequence, drawn number"},
        {"DISCARD PLANS", ""},
        {"SELECT pg_advisory_unlock_all()", "advisory lock"},
        {"SELECT pg_catalog.pg_advisory_unlock_all()", "advisory lock"},
        {"SELECT pg_advisory_unlock_all() FROM t", ""},
    };
    for (auto const& [text, unpins] : cases) EXPECT_EQ(only(text).unpins.names(), unpins) << text;
    auto const all = only("DISCARD ALL").unpins;
    EXPECT_TRUE(all.contains(Pin::unproven) && all.contains(Pin::session_authorization));
    EXPECT_FALSE(all.contains(Pin::mode) || all.contains(Pin::replication));
}

struct SettingCase {
    std::string_view text;
    SettingChange change;
};

TEST(analyze, tracks_settings) {
    using Kind = SettingChange::Kind;
    SettingCase const cases[] = {
        {"SET search_path = a,  \"B\"", {Kind::set, "search_path", "SET search_path TO a, \"B\""}},
        {"set session Work_Mem to '1MB'", {Kind::set, "work_mem", "SET Work_Mem TO '1MB'"}},
        {"SET LOCAL work_mem = 64", {Kind::set_local, "work_mem", "SET work_mem TO 64"}},
        {"SET a . b = 'x\\y'", {Kind::set, "a.b", "SET a.b TO E'x\\\\y'"}},
        {"SET geqo_seed = -1.5", {Kind::set, "geqo_seed", "SET geqo_seed TO - 1.5"}},
        {"SET work_mem TO DEFAULT", {Kind::reset, "work_mem", ""}},
        {"RESET Work_mem", {Kind::reset, "work_mem", ""}},
        {"RESET ALL", {Kind::reset_all, "", ""}},
        {"RESET TIME ZONE", {Kind::reset, "timezone", ""}},
        {"SET TIME ZONE 'UTC'", {Kind::set, "timezone", "SET TIME ZONE 'UTC'"}},
        {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE",
         {Kind::set, "timezone", "SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE"}},
        {"SET TIME ZONE LOCAL", {Kind::reset, "timezone", ""}},
        {"SET NAMES 'latin1'", {Kind::set, "client_encoding", "SET NAMES 'latin1'"}},
        {"SET NAMES", {Kind::reset, "client_encoding", ""}},
        {"SET ROLE NONE", {Kind::set, "role", "SET ROLE NONE"}},
        {"SET LOCAL ROLE bob", {Kind::set_local, "role", "SET ROLE bob"}},
        {"RESET ROLE", {Kind::reset, "role", ""}},
        {"SET SCHEMA 'a'", {Kind::set, "search_path", "SET SCHEMA 'a'"}},
        {"SET XML OPTION DOCUMENT", {Kind::set, "xmloption", "SET XML OPTION DOCUMENT"}},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
         {Kind::set, "default_transaction_isolation", "SET default_transaction_isolation TO 'repeatable read'"}},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
         {Kind::set, "default_transaction_read_only", "SET default_transaction_read_only TO on"}},
        {"SELECT set_config('App.User', 'it''s', false)",
         {Kind::set, "app.user", "SELECT pg_catalog.set_config('app.user', 'it''s', false)"}},
        {"SELECT set_config('a.b', 'c', true)",
         {Kind::set_local, "a.b", "SELECT pg_catalog.set_config('a.b', 'c', false)"}},
    };
    for (auto const& [text, change] : cases) {
        auto const effects = only(text);
        ASSERT_EQ(effects.settings.size(), 1U) << text;
        EXPECT_EQ(effects.settings.front().kind, change.kind) << text;
        EXPECT_EQ(effects.settings.front().name, change.name) << text;
        EXPECT_EQ(effects.settings.front().replay, change.replay) << text;
        EXPECT_TRUE(effects.pins.empty()) << text << ": " << effects.pins.names();
    }
}

TEST(analyze, writes_a_constant_again_that_reads_the_same_in_any_session) {
    auto const effects = analyze("SET a.b TO 'x\\'y'", false, no_facts()).statements.at(0);
    EXPECT_EQ(effects.settings.at(0).replay, "SET a.b TO E'x\\'y'");
}

struct SplitCase {
    std::string_view text;
    std::vector<Verb> verbs;
};

TEST(analyze, splits_as_postgresql_does) {
    SplitCase const cases[] = {
        {"", {}},
        {" ;; -- x\n; /* ; */", {}},
        {"SELECT 1; SELECT ';'; BEGIN;", {Verb::select, Verb::select, Verb::begin}},
        {"CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b); COMMIT", {Verb::ddl, Verb::commit}},
        {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2 end; SELECT 3; END; "
         "SELECT 1",
         {Verb::ddl, Verb::select}},
        {"CREATE PROCEDURE p() BEGIN ATOMIC END; COMMIT", {Verb::ddl, Verb::commit}},
        {"BEGIN; SELECT 1; END; SELECT 2", {Verb::begin, Verb::select, Verb::commit, Verb::select}},
        {"SELECT $a$;$$;$a$; COMMIT", {Verb::select, Verb::commit}},
        {"SELECT 'a' ; LISTEN c; 'open", {Verb::other}},
    };
    for (auto const& [text, verbs] : cases) {
        std::vector<Verb> found;
        for (auto const& effects : analyzed(text).statements) found.push_back(effects.verb);
        EXPECT_EQ(found, verbs) << text;
    }
}

TEST(analyze, knows_plain_begins_chains_and_ddl) {
    EXPECT_TRUE(only("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY DEFERRABLE").is_plain_begin);
    EXPECT_TRUE(only("START TRANSACTION READ WRITE, READ ONLY").is_read_only);
    EXPECT_FALSE(only("BEGIN READ ONLY, READ WRITE").is_read_only);
    EXPECT_FALSE(only("BEGIN ISOLATION LEVEL").is_plain_begin);
    EXPECT_TRUE(only("COMMIT AND CHAIN").has_chain);
    EXPECT_FALSE(only("ROLLBACK WORK AND NO CHAIN").has_chain);
    EXPECT_TRUE(only("ALTER TABLE t ADD a int").changes_catalog);
    EXPECT_TRUE(only("SELECT 1 INTO t").changes_catalog);
    EXPECT_FALSE(only("TRUNCATE t").changes_catalog);
    EXPECT_FALSE(only("INSERT INTO t VALUES (1)").changes_catalog);
}

TEST(analyze, tells_what_runs_code_that_the_catalog_holds) {
    for (auto const* const text :
         {"SELECT 1", "INSERT INTO t VALUES (1)", "EXECUTE p", "CREATE TABLE t AS SELECT f()", "CREATE UNLOGGED TABLE t PARTITION OF u DEFAULT",
          "CREATE MATERIALIZED VIEW v AS SELECT f()", "REFRESH MATERIALIZED VIEW v", "CREATE UNIQUE INDEX ON t (f(a))", "CREATE EXTENSION e",
          "ALTER TABLE t ADD COLUMN a int DEFAULT f()", "ALTER TABLE ONLY t ALTER a TYPE text USING f(a)", "ALTER TABLE t VALIDATE CONSTRAINT c",
          "ALTER TABLE t ATTACH PARTITION p DEFAULT", "ALTER FOREIGN TABLE t ADD CHECK (f(a))", "ALTER DOMAIN d ADD CHECK (f(value))", "VACUUM", "FETCH c"}) {
        EXPECT_TRUE(runs_on_catalog(only(text))) << text;
    }
    for (auto const* const text : {"BEGIN", "SET a TO 1", "SHOW a", "CREATE TABLE t (a int)", "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'x'",
                                   "CREATE VIEW v AS SELECT f()", "ALTER TABLE t RENAME TO u", "ALTER TABLE t DROP COLUMN a", "DROP TABLE t", "COMMENT ON TABLE t IS 'x'",
                                   "GRANT SELECT ON t TO r", "ALTER ROLE r SET a TO 1"}) {
        EXPECT_FALSE(runs_on_catalog(only(text))) << text;
    }
}

TEST(analyze, says_when_literals_matter) {
    EXPECT_TRUE(analyzed("SET a.b TO 'x'").depends_on_literals);
    EXPECT_TRUE(analyzed("SELECT set_config('a', 'b', true)").depends_on_literals);
    EXPECT_TRUE(analyzed("SELECT 'x").depends_on_literals);
    EXPECT_FALSE(analyzed("SELECT 'x', 1").depends_on_literals);
}

}  // namespace
}  // namespace pgtandem::sql
