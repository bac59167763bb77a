"""What a client leaves in the server's session must not reach the next one: two clients of one login, one backend for both.

Each case is a way to change the session by something that does not look like it: dynamic SQL, operators, casts, rules, what runs without
being named. The second client must find a session as new as its own server's."""
import pytest
from endpoint import Served
from replicas import wait_for_replicas
from tandem import wait_for
from wire_client import WireClient, errors, values

LOGIN, PASSWORD = "mallory", "of the test"
EVIL = "'SELECT set_con' || 'fig(''role'', ''other'', false)'"
ROLE = "SELECT current_user"
LOCKS = """SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname = current_database()"""
WORK_MEM = "SELECT setting FROM pg_settings WHERE name = 'work_mem'"


def order_of_a_type(comparison, equality):
    """A type with an operator class of its own; the operators' symbols are not those that the grammar knows."""
    operators = ", ".join(f"OPERATOR {number} {symbol}" for number, symbol in enumerate(("<<<", "<<=", "===", ">>=", ">>>"), 1))
    made = "".join(f"CREATE OPERATOR {symbol} (LEFTARG = pair, RIGHTARG = pair, FUNCTION = {'equal' if symbol == '===' else 'below'});"
                   for symbol in ("<<<", "<<=", "===", ">>=", ">>>"))
    return f"""SUPERUSER: CREATE TYPE pair AS (a int);
        CREATE FUNCTION compare(pair, pair) RETURNS {comparison}; CREATE FUNCTION equal(pair, pair) RETURNS {equality};
        CREATE FUNCTION below(pair, pair) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.a < $2.a'; {made}
        CREATE OPERATOR CLASS pair_ops DEFAULT FOR TYPE pair USING btree AS {operators}, FUNCTION 1 compare(pair, pair)"""


# name: (what is made first, what the first client runs, what the second one asks, what a new session answers)
CASES = {
    "dynamic_sql_of_a_stable_function": (
        f"CREATE FUNCTION evil() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$",
        "SELECT evil()", ROLE, LOGIN),
    "dynamic_sql_in_a_loop": (
        f"CREATE FUNCTION evil() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN FOR r IN EXECUTE {EVIL} LOOP END LOOP; RETURN r; END $$",
        "SELECT evil()", ROLE, LOGIN),
    "dynamic_sql_of_a_cursor": (
        f"CREATE FUNCTION evil() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE c refcursor; r text; BEGIN OPEN c FOR EXECUTE {EVIL}; FETCH c INTO r; RETURN r; END $$",
        "SELECT evil()", ROLE, LOGIN),
    "dynamic_sql_behind_another_function": (
        f"""CREATE FUNCTION evil() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$;
        CREATE FUNCTION good() RETURNS text STABLE LANGUAGE sql AS 'SELECT evil()'""",
        "SELECT good()", ROLE, LOGIN),
    "dynamic_sql_with_a_hint": (
        f"CREATE FUNCTION evil() RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$",
        "/* pgtandem: replica */ SELECT evil()", f"/* pgtandem: replica */ {ROLE}", LOGIN),
    "volatile_dynamic_sql_with_a_hint": (
        f"CREATE FUNCTION evil() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$",
        "/* pgtandem: replica */ SELECT evil()", f"/* pgtandem: replica */ {ROLE}", LOGIN),
    "a_row_with_a_field_that_is_a_function": (
        f"""CREATE TABLE t AS SELECT 1 AS a;
        CREATE FUNCTION evil(t) RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$;
        CREATE FUNCTION good() RETURNS text STABLE LANGUAGE sql AS 'SELECT t.evil FROM t'""",
        "SELECT good()", ROLE, LOGIN),
    "the_rule_of_pg_settings": (
        "", "UPDATE pg_settings SET setting = '12345' WHERE name = 'work_mem'", WORK_MEM, "4096"),
    "a_view_over_pg_settings": (
        "CREATE VIEW mine AS SELECT * FROM pg_settings",
        "UPDATE mine SET setting = '12345' WHERE name = 'work_mem'", WORK_MEM, "4096"),
    "an_operator_on_a_built_in_function": (
        "CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock)", "SELECT !! 7::bigint", LOCKS, "0"),
    "an_operator_in_a_stable_function": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE FUNCTION good() RETURNS boolean STABLE LANGUAGE sql AS 'SELECT !! 7::bigint'""",
        "SELECT good()", LOCKS, "0"),
    "an_operator_in_a_view": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE VIEW v AS SELECT !! 7::bigint AS locked""", "SELECT * FROM v", LOCKS, "0"),
    "an_operator_in_a_default": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE TABLE t (a int, locked boolean DEFAULT (!! 7::bigint))""", "INSERT INTO t (a) VALUES (1)", LOCKS, "0"),
    "an_operator_in_a_default_of_an_argument": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE FUNCTION good(boolean DEFAULT !! 7::bigint) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT $1'""",
        "SELECT good()", LOCKS, "0"),
    "an_operator_in_a_domain": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE DOMAIN locking AS bigint CHECK (!! VALUE)""", "SELECT 7::locking", LOCKS, "0"),
    "a_check": (
        """CREATE OPERATOR !! (RIGHTARG = bigint, FUNCTION = pg_try_advisory_lock);
        CREATE TABLE t (a bigint CHECK (!! a))""", "INSERT INTO t VALUES (7)", LOCKS, "0"),
    "an_aggregate_of_a_locking_function": (
        f"""CREATE FUNCTION evil(text, int) RETURNS text STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN r; END $$;
        CREATE AGGREGATE gather(int) (SFUNC = evil, STYPE = text)""", "SELECT gather(1)", ROLE, LOGIN),
    "the_order_of_a_type": (
        order_of_a_type(f"int IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN 0; END $$", "boolean IMMUTABLE LANGUAGE sql AS 'SELECT true'"),
        "SELECT a FROM (VALUES (ROW(1)::pair), (ROW(2)::pair)) AS v (a) ORDER BY a", ROLE, LOGIN),
    "the_equality_of_a_type": (
        order_of_a_type("int IMMUTABLE LANGUAGE sql AS 'SELECT 0'", f"boolean IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN true; END $$"),
        "SELECT DISTINCT a FROM (VALUES (ROW(1)::pair), (ROW(1)::pair)) AS v (a)", ROLE, LOGIN),
    "a_partition_key": (
        f"""CREATE FUNCTION evil(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE {EVIL} INTO r; RETURN 1; END $$;
        CREATE TABLE t (a int) PARTITION BY LIST (evil(a)); CREATE TABLE t_default PARTITION OF t DEFAULT""",
        "INSERT INTO t VALUES (1)", ROLE, LOGIN),
    "statistics": (
        f"""CREATE FUNCTION evil(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM pg_class WHERE ('pg_try_' || 'x') <> ''; RETURN public.nop($1); END $$;
        CREATE FUNCTION nop(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + CASE WHEN pg_try_advisory_lock(7) THEN 0 ELSE 1 END';
        CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 10) AS g; CREATE STATISTICS s ON (evil(a)), a FROM t""",
        "ANALYZE t", LOCKS, "0"),
    "an_index_that_is_made_anew": (
        """CREATE FUNCTION nop(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + CASE WHEN pg_try_advisory_lock(7) THEN 0 ELSE 1 END';
        CREATE TABLE t AS SELECT g AS a FROM generate_series(1, 10) AS g; CREATE INDEX i ON t (nop(a))""",
        "REINDEX TABLE t", LOCKS, "0"),
    "another_name_of_a_built_in_function": (
        "SUPERUSER: CREATE FUNCTION plain_name(bigint) RETURNS boolean VOLATILE LANGUAGE internal AS 'pg_try_advisory_lock_int8'",
        "SELECT plain_name(7)", LOCKS, "0"),
    "a_cast_by_a_built_in_function": (
        "SUPERUSER: CREATE CAST (bigint AS boolean) WITH FUNCTION pg_try_advisory_lock(bigint)", "SELECT 7::bigint::boolean", LOCKS, "0"),
}


@pytest.fixture(scope="module", params=[0, 1], ids=["primary", "replica"])
def served(request):
    """One backend for all clients: on the primary, or for reads on the replica."""
    with Served(request.param, pool_size=1, consistency="eventual", weights="node1=0") as made:
        made.straight.sql("CREATE ROLE other")
        made.straight.sql(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{PASSWORD}' IN ROLE other")
        yield made


def make(served, name, text):
    served.straight.sql(f"CREATE DATABASE {name} OWNER {LOGIN}")
    is_superusers = text.startswith("SUPERUSER: ")
    who = {} if is_superusers else {"user": LOGIN, "password": PASSWORD}
    if text:
        served.straight.at(dbname=name, **who).sql(text.removeprefix("SUPERUSER: "))
    wait_for_replicas(served)
    return served.endpoint.at(dbname=name, user=LOGIN, password=PASSWORD)


@pytest.mark.parametrize("name", CASES)
def test_what_one_client_leaves_the_next_one_does_not_find(served, name):
    setup, run, ask, fresh = CASES[name]
    ask = f"/* pgtandem: replica */ {ask}"
    place = make(served, name, setup)
    with WireClient(place).log_in() as first, WireClient(place).log_in() as second:
        assert errors(first.query(run)) == []
        assert values(first.query(ask)) != [[fresh]], "it changes nothing: the case is none"
        first.terminate()
        wait_for(lambda: values(second.query(ask)) == [[fresh]], f"a session as new; it has {values(second.query(ask))}", 3)
