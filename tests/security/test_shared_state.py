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
# PostgreSQL evaluates it when it plans a statement that touches the table.
LOCKS_AT_PLANNING = "CREATE FUNCTION locking(k int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_try_advisory_lock(k); RETURN 1; END'"
VALIDATES = "CREATE FUNCTION validates(text[], oid) RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(7); END'"
IN_PG_TEMP = "CREATE FUNCTION pg_temp.locks(bigint DEFAULT 7) RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock($1)'"


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
    "an_expression_of_an_index_that_is_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int); CREATE INDEX ON t ((a + locking(7)))", "SELECT FROM t", LOCKS, "0"),
    "a_predicate_of_an_index_that_is_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int); CREATE INDEX ON t (a) WHERE a > locking(7)", "SELECT FROM t", LOCKS, "0"),
    "an_operator_of_an_index_that_is_planned": (
        """CREATE FUNCTION locking(int, int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_try_advisory_lock(7); RETURN true; END';
        CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = locking);
        CREATE TABLE t (a int); CREATE INDEX ON t (a) WHERE a > 1 AND 1 <+> 2""", "SELECT FROM t", LOCKS, "0"),
    "an_exclusion_that_is_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int, EXCLUDE USING btree ((a + locking(7)) WITH =))", "SELECT FROM t", LOCKS, "0"),
    "statistics_that_are_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int, b int); CREATE STATISTICS s ON (a + locking(7)), b FROM t", "SELECT FROM t", LOCKS, "0"),
    "a_check_that_is_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int CHECK (a > locking(7) - 5))", "SET constraint_exclusion = on; SELECT FROM t WHERE a = 1", LOCKS, "0"),
    "a_check_of_a_partition_that_is_planned": (
        f"""{LOCKS_AT_PLANNING}; CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (10);
        ALTER TABLE p ADD CHECK (a > locking(7) - 5)""", "SELECT FROM t WHERE a = 3", LOCKS, "0"),
    "a_view_of_a_table_whose_index_is_planned": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int); CREATE INDEX ON t ((a + locking(7))); CREATE VIEW v AS SELECT * FROM t", "SELECT FROM v", LOCKS, "0"),
    "a_function_that_reads_a_table_whose_index_is_planned": (
        f"""{LOCKS_AT_PLANNING}; CREATE TABLE t (a int); CREATE INDEX ON t ((a + locking(7)));
        CREATE FUNCTION good() RETURNS bigint STABLE LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END'""", "SELECT good()", LOCKS, "0"),
    "a_plan_that_is_only_told": (
        f"{LOCKS_AT_PLANNING}; CREATE TABLE t (a int); CREATE INDEX ON t ((a + locking(7)))", "EXPLAIN SELECT FROM t", LOCKS, "0"),
    "a_referenced_table_whose_index_is_planned": (
        f"""{LOCKS_AT_PLANNING}; CREATE TABLE t (a int PRIMARY KEY); CREATE INDEX ON t ((a + locking(7))); INSERT INTO t VALUES (1);
        CREATE TABLE child (a int REFERENCES t)""", "INSERT INTO child VALUES (1)", LOCKS, "0"),
    "a_referencing_table_whose_index_is_planned": (
        f"""{LOCKS_AT_PLANNING}; CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE child (a int REFERENCES t); INSERT INTO t VALUES (1);
        CREATE INDEX ON child ((a + locking(7)))""", "DELETE FROM t", LOCKS, "0"),
    "a_partition_key_of_the_table_above": (
        """CREATE FUNCTION locking(k int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_try_advisory_lock(7); RETURN k; END';
        CREATE TABLE t (a int, b int) PARTITION BY LIST (locking(a)); CREATE TABLE p PARTITION OF t FOR VALUES IN (1) PARTITION BY LIST (b);
        CREATE TABLE q PARTITION OF p FOR VALUES IN (1)""", "INSERT INTO q VALUES (1, 1)", LOCKS, "0"),
    "a_path_of_the_role": (
        f"SUPERUSER: ALTER ROLE {LOGIN} IN DATABASE a_path_of_the_role SET search_path = pg_temp, public",
        "CREATE TABLE mine (a int)", "SELECT count(*) FROM pg_class WHERE relname = 'mine'", "0"),
    "a_path_of_pg_temp_in_an_escaped_string": (
        "", r"SET search_path = E'pg\137temp'; CREATE DOMAIN d AS bigint CHECK (pg_try_advisory_lock(VALUE)); RESET search_path; SELECT 7::d; DISCARD TEMP", LOCKS, "0"),
    "a_foreign_server": (
        f"""SUPERUSER: {VALIDATES}; CREATE FOREIGN DATA WRAPPER w VALIDATOR validates; GRANT USAGE ON FOREIGN DATA WRAPPER w TO {LOGIN}""",
        "CREATE SERVER s FOREIGN DATA WRAPPER w", LOCKS, "0"),
    "a_language": (
        f"""SUPERUSER: CREATE FUNCTION validates(oid) RETURNS void LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(7); END';
        CREATE TRUSTED LANGUAGE mine HANDLER plpgsql_call_handler VALIDATOR validates; GRANT USAGE ON LANGUAGE mine TO {LOGIN}; GRANT CREATE ON SCHEMA public TO {LOGIN}""",
        "CREATE FUNCTION good() RETURNS int LANGUAGE mine AS 'BEGIN RETURN 1; END'", LOCKS, "0"),
    "a_type_that_says_it_is_an_array": (
        """SUPERUSER: CREATE TYPE odd; CREATE FUNCTION odd_in(cstring) RETURNS odd IMMUTABLE STRICT LANGUAGE internal AS 'textin';
        CREATE FUNCTION odd_out(odd) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
        CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text, CATEGORY = 'A');
        CREATE FUNCTION odd_send(odd) RETURNS bytea STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(7); RETURN ''''; END';
        ALTER TYPE odd SET (SEND = odd_send)""",
        "COPY (SELECT 'a'::odd) TO STDOUT (FORMAT binary)", LOCKS, "0"),
    "a_function_of_pg_temp": (
        "", f"{IN_PG_TEMP}; SELECT pg_temp.locks(); DISCARD TEMP", LOCKS, "0"),
    "an_operator_of_pg_temp": (
        "", f"{IN_PG_TEMP}; CREATE OPERATOR pg_temp.!! (RIGHTARG = bigint, FUNCTION = pg_temp.locks); SELECT OPERATOR(pg_temp.!!) 7::bigint; DISCARD TEMP", LOCKS, "0"),
    "a_domain_of_pg_temp": (
        "", "CREATE DOMAIN pg_temp.d AS bigint CHECK (pg_try_advisory_lock(VALUE)); SELECT 7::d; DISCARD TEMP", LOCKS, "0"),
    "a_path_of_pg_temp": (
        "", "SET search_path = pg_temp; CREATE DOMAIN d AS bigint CHECK (pg_try_advisory_lock(VALUE)); RESET search_path; SELECT 7::d; DISCARD TEMP", LOCKS, "0"),
    "a_cast_to_a_type_of_pg_temp": (
        "", """CREATE TYPE pg_temp.pair AS (a bigint); CREATE FUNCTION pg_temp.pair(bigint) RETURNS pg_temp.pair LANGUAGE sql AS 'SELECT pg_advisory_lock($1); SELECT NULL::pg_temp.pair';
        CREATE CAST (bigint AS pg_temp.pair) WITH FUNCTION pg_temp.pair(bigint); SELECT 7::bigint::pair; DISCARD TEMP""", LOCKS, "0"),
    "a_trigger_of_a_temporary_table": (
        """CREATE FUNCTION locks() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_lock(7); RETURN NEW; END'""",
        "CREATE TEMPORARY TABLE mine (a int); CREATE TRIGGER x BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION locks(); INSERT INTO mine VALUES (1); DISCARD TEMP", LOCKS, "0"),
    "what_is_made_and_used_in_one_text": (
        f"SUPERUSER: GRANT CREATE ON SCHEMA public TO {LOGIN}", "CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(7)'; SELECT locks()", LOCKS, "0"),
    "a_domain_that_is_made_and_used_in_one_text": (
        f"SUPERUSER: GRANT CREATE ON SCHEMA public TO {LOGIN}", "CREATE DOMAIN d AS bigint CHECK (pg_try_advisory_lock(VALUE)); SELECT 7::d", LOCKS, "0"),
    # What a session holds beyond settings and locks.
    "a_connection_of_dblink": (
        f"""SUPERUSER: CREATE EXTENSION dblink; GRANT CREATE ON SCHEMA public TO {LOGIN};
        CREATE FUNCTION opens() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN dblink_connect('mine', 'host=127.0.0.1 port=' || current_setting('port')
            || ' user={LOGIN} password=''{PASSWORD}'' dbname=' || current_database()); END $$""",
        "SELECT opens()", "SELECT coalesce(array_length(dblink_get_connections(), 1), 0)", "0"),
    "a_slot_for_the_session": (
        """SUPERUSER: CREATE FUNCTION makes() RETURNS text SECURITY DEFINER LANGUAGE sql AS 'SELECT slot_name FROM pg_create_physical_replication_slot(''mine'', true, true)'""",
        "SELECT makes()", "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'mine'", "0"),
    "a_number_that_was_set": (
        """CREATE SEQUENCE numbers; CREATE FUNCTION asks() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN currval(''numbers''); EXCEPTION WHEN OTHERS THEN RETURN ''none''; END'""",
        "SELECT setval('numbers', 5)", "SELECT asks()", "none"),
    "a_channel_that_a_function_listens_to": (
        "CREATE FUNCTION hears() RETURNS void LANGUAGE plpgsql AS 'BEGIN LISTEN mine; END'", "SELECT hears()", "SELECT count(*) FROM pg_listening_channels()", "0"),
    "a_cursor_that_a_function_holds": (
        "CREATE FUNCTION holds() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DECLARE mine CURSOR WITH HOLD FOR SELECT 1'; END $$",
        "SELECT holds()", "SELECT count(*) FROM pg_cursors WHERE name = 'mine'", "0"),
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
