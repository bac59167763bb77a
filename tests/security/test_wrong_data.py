"""Conversations that once stored or returned wrong data: each is answered through the endpoint as by the server itself."""
import asyncio
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import wire_messages as wire
from conversation import say
from side_by_side import cases, kind, q, run, side_by_side
from wire_client import WireClient, errors, values

both = side_by_side()
roomy = side_by_side(pool_size=4)
A, B = 0, 1

# --- what PostgreSQL reads when it parses and plans is part of the statement

RLS = """DROP TABLE IF EXISTS own_rows; DROP ROLE IF EXISTS r1; DROP ROLE IF EXISTS r2; CREATE ROLE r1; CREATE ROLE r2;
CREATE TABLE own_rows (who name); INSERT INTO own_rows VALUES ('r1'), ('r1'), ('r2'); ALTER TABLE own_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON own_rows USING (who = current_user); GRANT SELECT ON own_rows TO r1, r2"""
SCHEMAS = """DROP SCHEMA IF EXISTS one CASCADE; DROP SCHEMA IF EXISTS two CASCADE; CREATE SCHEMA one; CREATE SCHEMA two;
CREATE TABLE one.here AS SELECT 'one' AS a; CREATE TABLE two.here AS SELECT 'two' AS a;
CREATE FUNCTION one.f() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'one' $$;
CREATE FUNCTION two.f() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'two' $$"""
FOLDED = """CREATE OR REPLACE FUNCTION folded() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_setting('my.own', true); END $$"""
# name: (setup, one setting, another one, a statement whose result depends on which was in force when it was parsed or planned)
SETTINGS = {
    "TimeZone": ("", "SET timezone = 'UTC'", "SET timezone = 'Asia/Tokyo'", "SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')"),
    "TimeZone by SET TIME ZONE": ("", "SET TIME ZONE 0", "SET TIME ZONE 9", "SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')"),
    "DateStyle": ("", "SET datestyle = 'ISO, MDY'", "SET datestyle = 'ISO, DMY'", "SELECT date '01/02/2024' - date '2000-01-01'"),
    "IntervalStyle": ("", "SET intervalstyle = 'postgres'", "SET intervalstyle = 'sql_standard'", "SELECT extract(epoch FROM interval '-1 2:00:00')"),
    "array_nulls": ("", "SET array_nulls = on", "SET array_nulls = off", "SELECT ('{a,NULL}'::text[])[2] IS NULL"),
    "transform_null_equals": ("", "SET transform_null_equals = off", "SET transform_null_equals = on", "SELECT a = NULL FROM (VALUES (1)) AS v (a)"),
    "xmloption": ("", "SET xmloption = content", "SET xmloption = document", "SELECT 'abc<a/>'::xml"),
    "XML OPTION": ("", "SET XML OPTION CONTENT", "SET XML OPTION DOCUMENT", "SELECT 'abc<b/>'::xml"),
    "search_path, a table": (SCHEMAS, "SET search_path = one", "SET search_path = two", "SELECT a FROM here"),
    "search_path, a function": (SCHEMAS, "SET search_path = one", "SET search_path = two", "SELECT f()"),
    "search_path, a regclass": (SCHEMAS, "SET search_path = one", "SET search_path = two",
                                "SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = 'here'::regclass"),
    "standard_conforming_strings": ("", "SET standard_conforming_strings = on", "SET standard_conforming_strings = off; SET escape_string_warning = off",
                                    r"SELECT length('a\nb')"),
    "backslash_quote": ("", "SET backslash_quote = on", "SET backslash_quote = off", r"SELECT E'it\'s'"),
    "timezone_abbreviations": ("", "SET timezone_abbreviations = 'Default'", "SET timezone_abbreviations = 'Australia'",
                               "SELECT extract(epoch FROM timestamptz '2024-01-01 00:00 EST')"),
    "plan_cache_mode": ("", "SET plan_cache_mode = force_generic_plan", "SET plan_cache_mode = force_custom_plan",
                        "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = $1"),
    "a custom setting in a folded function": (FOLDED, "SET my.own = 'one'", "SET my.own = 'two'", "SELECT folded()"),
    "role and row-level security": (RLS, "SET ROLE r1", "SET ROLE r2", "SELECT count(*) FROM own_rows"),
    "row_security": (RLS + "; ALTER TABLE own_rows FORCE ROW LEVEL SECURITY", "SET ROLE r1", "SET ROLE r1; SET row_security = off", "SELECT count(*) FROM own_rows"),
}


def values_for(sql, name):
    return [name.encode()] if "$1" in sql else []


@cases(SETTINGS)
def test_a_statement_parsed_under_one_setting_is_not_run_for_another(both, kind, case):
    """In one session. What was parsed before the SET keeps what it had."""
    setup, first, second, sql = case
    steps = [say(A, q(first))]
    steps += [say(A, wire.parse(sql, "n0"), wire.sync()), say(A, run("n0", values_for(sql, "n0")), wire.sync())]
    steps += [say(A, q(second)), say(A, wire.parse(sql, "n1"), wire.sync()), say(A, run("n1", values_for(sql, "n1")), wire.sync()),
              say(A, run("n0", values_for(sql, "n0")), wire.sync()), say(A, wire.parse(sql), run("", values_for(sql, "")), wire.sync()),
              say(A, q(first)), say(A, wire.parse(sql, "n2"), run("n2", values_for(sql, "n2")), wire.sync()),
              say(A, run("n1", values_for(sql, "n1")), wire.sync())]
    # On the primary for the first time, where it was used on the replica only.
    steps += [say(A, q("BEGIN")), say(A, run("n1", values_for(sql, "n1")), wire.sync()), say(A, run("n0", values_for(sql, "n0")), wire.sync()), say(A, q("COMMIT"))]
    both.agree(kind, steps, setup)


@cases({name: case for name, case in SETTINGS.items() if "$1" not in case[3]})
def test_a_statement_of_a_client_with_another_setting_is_not_shared(both, kind, case):
    setup, first, second, sql = case
    steps = [say(A, q(first)), say(B, q(second))]
    for _ in range(2):
        for who, name in ((A, "a"), (B, "b")):
            steps += [say(who, wire.parse(sql, name), run(name, values_for(sql, name)), wire.sync()),
                      say(who, run(name, values_for(sql, name)), wire.close("S", name), wire.sync())]
    both.agree(kind, steps, setup)


@cases(SETTINGS)
def test_a_setting_in_the_same_flight_as_the_parse_counts(both, kind, case):
    setup, first, second, sql = case
    steps = [say(A, q(first), wire.parse(sql, "n0"), run("n0", values_for(sql, "n0")), wire.sync(), q(second), wire.parse(sql, "n1"),
                 run("n1", values_for(sql, "n1")), run("n0", values_for(sql, "n0")), wire.sync())]
    steps += [say(A, wire.parse(first.split(";")[0]), run(), wire.parse(sql, "n2"), run("n2", values_for(sql, "n2")), wire.sync())]
    both.agree(kind, steps, setup)


def test_a_setting_that_is_rolled_back_does_not_stay_in_a_statement(both, kind):
    sql = "SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')"
    steps = [say(A, q("SET timezone = 'UTC'")), say(A, q("BEGIN"), q("SET timezone = 'Asia/Tokyo'"), wire.parse(sql, "n0"), wire.sync()),
             say(A, q("ROLLBACK")), say(A, wire.parse(sql, "n1"), run("n0"), run("n1"), wire.sync()),
             say(A, q("BEGIN"), q("SET LOCAL timezone = 'Asia/Tokyo'"), wire.parse(sql, "n2"), wire.sync(), q("COMMIT")),
             say(A, wire.parse(sql, "n3"), run("n2"), run("n3"), wire.sync())]
    both.agree(kind, steps)


def test_rows_of_clients_in_two_timezones_are_all_right(both):
    """As drivers do by their defaults: one text, many clients, each with its own timezone."""
    place = both.proxies["primary"].place
    place.sql("DROP TABLE IF EXISTS happened; CREATE TABLE happened (zone text, n int, moment timestamptz)")

    def insert(zone):
        with place.connect() as session:
            session.execute(f"SET timezone = '{zone}'")
            for number in range(15):
                session.execute("INSERT INTO happened VALUES (%s, %s, '2024-01-01 00:00')", (zone, number))
    threads = [threading.Thread(target=insert, args=(zone,)) for zone in ("UTC", "Asia/Tokyo") * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert place.value("SELECT count(*) FROM happened") == 180
    assert place.value("SELECT count(*) FROM happened WHERE moment <> '2024-01-01 00:00'::timestamp AT TIME ZONE zone") == 0


# --- a result whose type has changed

CHANGING = "DROP TABLE IF EXISTS js; CREATE TABLE js (n int, m int); INSERT INTO js VALUES (7, 8)"
CHANGES = {
    "a wider type": "ALTER TABLE js ALTER n TYPE bigint",
    "another type": "ALTER TABLE js ALTER n TYPE text",
    "a column more": "ALTER TABLE js ADD COLUMN o text DEFAULT 'more'",
    "a column less": "ALTER TABLE js DROP COLUMN n",
    "columns that change places": "ALTER TABLE js DROP COLUMN n, ADD COLUMN n int DEFAULT 9",
    "another name": "ALTER TABLE js RENAME n TO renamed",
    "a table made anew": "DROP TABLE js; CREATE TABLE js (n bigint, m int)",
    "a table that is gone": "DROP TABLE js",
}


def read_js(described):
    return wire.bind(statement="s1", is_binary=True) + (wire.describe("P") if described else b"") + wire.execute() + wire.sync()


@pytest.mark.parametrize("described", [False, True], ids=["not described", "described"])
@pytest.mark.parametrize("by", ["itself", "another client"])
@cases(CHANGES)
def test_a_result_of_another_type_is_an_error_once(both, kind, case, by, described):
    steps = [say(A, wire.parse("SELECT * FROM js", "s1"), wire.describe("S", "s1"), wire.sync()), say(A, read_js(described)), say(A, read_js(described)),
             say(A if by == "itself" else B, q(case)),
             say(A, read_js(described)), say(A, read_js(described)), say(A, wire.describe("S", "s1"), wire.sync()),
             # What a driver does then.
             say(A, wire.close("S", "s1"), wire.parse("SELECT * FROM js", "s1"), wire.describe("S", "s1"), wire.sync()), say(A, read_js(described))]
    both.agree(kind, steps, CHANGING)


@cases(CHANGES)
def test_a_result_of_another_type_is_an_error_on_another_backend_too(both, case):
    """There the statement is prepared anew, without the client's asking."""
    before = [say(A, wire.parse("SELECT * FROM js", "s1"), wire.describe("S", "s1"), wire.sync()), say(A, read_js(False))]
    wanted = both.expected([*before, say(B, q(case)), say(A, read_js(False))], CHANGING)[-2:]
    place = both.proxies["primary"].place
    both.prepare(place, CHANGING)
    with WireClient(place).log_in() as client:
        for step in before:
            client.send(step.data)
            client.until("Z")
        both.end_backends()
        place.sql(case)
        client.send(read_js(False))
        answer = client.until("Z")
        assert errors(answer) == [dict(one[1])["C"] for one in wanted if one[0] == "E"], answer


def test_asyncpg_sees_columns_under_their_own_names(roomy, kind):
    """A column is dropped and added, so that the columns change places. What is wrong is an error once, which the driver mends."""
    async def talk(place):
        import asyncpg
        words = {"host": place.host, "port": place.port, "user": place.user, "password": place.password, "database": place.dbname}
        reader, changer = await asyncpg.connect(**words), await asyncpg.connect(**words)
        seen = []
        try:
            await changer.execute(CHANGING)
            for number in range(4):
                if number == 2:
                    await changer.execute("ALTER TABLE js DROP COLUMN n, ADD COLUMN n int DEFAULT 9")
                try:
                    seen += [dict(row) for row in await reader.fetch("SELECT * FROM js")]
                except asyncpg.PostgresError as error:
                    seen.append(error.sqlstate)
                except asyncpg.InterfaceError as error:
                    seen.append(str(error)[:60])
        finally:
            await reader.close()
            await changer.close()
        return seen
    assert asyncio.run(talk(roomy.proxies[kind].place)) == asyncio.run(talk(roomy.straight))


JDBC = Path("/usr/share/java/postgresql.jar")


@pytest.mark.skipif(not shutil.which("javac"), reason="there is no Java compiler")
def test_pgjdbc_reads_what_is_there(roomy, kind, tmp_path):
    """It prepares on the server with the fifth run, and heals an error of the changed type by itself outside of a transaction."""
    subprocess.run(["javac", "-cp", JDBC, "-d", tmp_path, Path(__file__).parent / "ChangedTable.java"], check=True, capture_output=True)

    def told(place):
        words = [f"jdbc:postgresql://{place.host}:{place.port}/{place.dbname}", place.user, place.password]
        done = subprocess.run(["java", "-cp", f"{tmp_path}:{JDBC}", "ChangedTable", *words], capture_output=True, text=True, timeout=60)
        return done.stdout.splitlines(), done.stderr
    assert told(roomy.proxies[kind].place) == told(roomy.straight)


# --- types that a client was told

TYPES = "DROP TABLE IF EXISTS letters; CREATE TABLE letters (a int)"
TOLD_INT = [say(A, wire.parse("INSERT INTO letters VALUES ($1)", "s1"), wire.describe("S", "s1"), wire.sync())]


def insert_abcd():
    """1094861636 as a binary int4 are the letters ABCD."""
    return wire.message("B", b"\0s1\0" + b"\0\1\0\1" + b"\0\1" + wire.counted(b"ABCD") + b"\0\0") + wire.execute() + wire.sync()


@pytest.mark.parametrize("change", ["ALTER TABLE letters ALTER a TYPE text", "DROP TABLE letters; CREATE TABLE letters (a text)", "ALTER TABLE letters ALTER a TYPE bigint"])
def test_a_number_is_not_stored_as_letters(both, kind, change):
    both.agree(kind, [*TOLD_INT, say(B, q(change)), say(A, insert_abcd()), say(A, q("SELECT a FROM letters"))], TYPES)


@pytest.mark.parametrize("change", ["ALTER TABLE letters ALTER a TYPE text", "DROP TABLE letters; CREATE TABLE letters (a text)"])
def test_a_number_is_not_stored_as_letters_on_another_backend(both, change):
    """The number, as straight, or an error: nothing else."""
    place = both.proxies["primary"].place
    both.prepare(place, TYPES)
    with WireClient(place).log_in() as client:
        client.send(TOLD_INT[0].data)
        client.until("Z")
        both.end_backends()
        place.sql(change)
        client.send(insert_abcd())
        refused = errors(client.until("Z"))
        stored = [row[0] for row in values(client.query("SELECT a FROM letters"))]
        assert stored == ([] if refused else ["1094861636"])
