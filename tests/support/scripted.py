"""Conversations of a client that can be stopped after any step, and what a session must not leave behind for the next one."""
import wire_messages as wire
from wire_client import WireClient, errors, values


def big(rows):
    return f"SELECT repeat('x', 1000) FROM generate_series(1, {rows})"


def begin_query(sql):
    return lambda client: client.send(wire.query(sql))


def ask(sql):
    return lambda client: client.query(sql)


def start_copy(client):
    client.query("CREATE TABLE IF NOT EXISTS copied (t text)")
    client.send(wire.query("COPY copied FROM STDIN"))
    client.until("G")


def send_batch_without_sync(client):
    client.send(wire.parse("SELECT 1", "s"), wire.bind(statement="s"), wire.execute(), wire.flush())
    client.until("C")


def suspend_portal(client):
    client.send(wire.query("BEGIN"))
    client.until("Z")
    client.send(wire.parse("SELECT generate_series(1, 9)"), wire.bind(), wire.execute(rows_max=2), wire.flush())
    client.until("s")


# Each step: (name, what is done, whether a backend is held after it). Those of a login come first and each builds on the last.
LOGIN_STEPS = [
    ("connected", lambda client: None),
    ("half a startup", lambda client: client.send(wire.startup({"user": client.place.user})[:9])),
    ("startup sent", lambda client: client.begin()),
    ("asked for a password", lambda client: (client.begin(), client.expect_authentication(10))),
    ("SCRAM begun", lambda client: (client.begin(), client.expect_authentication(10),
                                    client.send(client.sasl_initial_response()))),
    ("SCRAM challenged", lambda client: (client.begin(), client.expect_authentication(10),
                                         client.send(client.sasl_initial_response()), client.expect_authentication(11))),
    ("half a SCRAM message", lambda client: (client.begin(), client.expect_authentication(10),
                                             client.send(client.sasl_initial_response()[:7]))),
]
IDLE_STEPS = [
    ("logged in", lambda client: None),
    ("after a query", ask("SELECT 1")),
    ("half a header", lambda client: client.send(b"Q\0")),
    ("half a query", lambda client: client.send(wire.query("SELECT 'half of it'")[:12])),
    ("after an error", ask("SELECT 1/0")),
]
A_QUERY_RUNS = ("a query runs", begin_query("SELECT pg_sleep(600)"))
UNANSWERED_STEPS = [A_QUERY_RUNS, ("a result is not read", begin_query(big(100000)))]
HOLDING_STEPS = UNANSWERED_STEPS + [
    ("a result is read in part", lambda client: (client.send(wire.query(big(100000))), client.until("D"))),
    ("in a transaction", lambda client: (client.query("BEGIN"), client.query("SELECT 1"))),
    ("in a failed transaction", lambda client: (client.query("BEGIN"), client.query("SELECT 1/0"))),
    ("half a query in a transaction", lambda client: (client.query("BEGIN"), client.query("SELECT 1"),
                                                      client.send(wire.query("SELECT 'half of it'")[:12]))),
    ("a COPY has begun", start_copy),
    ("half a COPY message", lambda client: (start_copy(client), client.send(wire.copy_data(b"x" * 100)[:50]))),
    ("a COPY to the client runs", lambda client: (client.send(wire.query(f"COPY ({big(100000)}) TO STDOUT")), client.until("d"))),
    ("a batch without its Sync", send_batch_without_sync),
    ("a portal is suspended", suspend_portal),
    ("a temporary table is kept", ask("CREATE TEMP TABLE kept (a int)")),
    ("an advisory lock is held", ask("SELECT pg_advisory_lock(77)")),
    ("it listens", ask("LISTEN bell")),
]
# What a server is asked it does to its end, whether or not the client is still there.
ALL_STEPS = LOGIN_STEPS + IDLE_STEPS + HOLDING_STEPS
LEAVABLE_STEPS = [("a query ends soon", begin_query("SELECT pg_sleep(2)")) if step is A_QUERY_RUNS else step for step in ALL_STEPS]


def names(steps):
    return [step[0] for step in steps]


def client_at(place, step):
    """A client of its own, brought to a step."""
    client = WireClient(place)
    if step not in LOGIN_STEPS:
        client.log_in(application_name=step[0])
    step[1](client)
    return client


# What a session can leave in its backend, as (what it does, what the next one asks, what that one must be told).
TRACES = {
    "a setting": (["SET work_mem TO '77MB'"], "SHOW work_mem", None),
    "a reported setting": (["SET datestyle TO german"], "SHOW datestyle", None),
    "a custom setting": (["SET my.own TO 'secret'"], "SELECT current_setting('my.own', true)", None),
    "a setting by a function": (["SELECT set_config('my.own', 'secret', false)"], "SELECT current_setting('my.own', true)", None),
    "a setting within a DO": (["DO $$ BEGIN PERFORM set_config('work_mem', '78MB', false); END $$"], "SHOW work_mem", None),
    "the search path": (["SET search_path TO pg_catalog"], "SHOW search_path", None),
    "a role": (["SET ROLE pg_monitor"], "SELECT current_user = session_user", "t"),
    "a session authorization": (["SET SESSION AUTHORIZATION pg_monitor"], "SELECT session_user = 'pg_monitor'", "f"),
    "a read-only session": (["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"], "SHOW transaction_read_only", "off"),
    "an isolation level": (["SET default_transaction_isolation TO serializable"], "SHOW transaction_isolation", "read committed"),
    "a temporary table": (["CREATE TEMP TABLE left_over (a int)"], "SELECT to_regclass('left_over') IS NULL", "t"),
    "a temporary schema": (["CREATE TEMP TABLE left_over (a int)"], "SELECT pg_my_temp_schema()", "0"),
    "a setting by a function's code": (["CREATE OR REPLACE FUNCTION sets_own() RETURNS int LANGUAGE plpgsql AS $$ BEGIN SET my.own = 'secret'; RETURN 1; END $$",
                                        "SELECT sets_own()"], "SELECT current_setting('my.own', true)", None),
    "a prepared statement": (["PREPARE left_over AS SELECT 1"], "SELECT count(*) FROM pg_prepared_statements WHERE from_sql", "0"),
    "a held cursor": (["DECLARE left_over CURSOR WITH HOLD FOR SELECT 1"], "SELECT count(*) FROM pg_cursors", "0"),
    "an advisory lock": (["SELECT pg_advisory_lock(4242)"], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", "0"),
    "a channel": (["LISTEN left_over"], "SELECT count(*) FROM pg_listening_channels()", "0"),
    "an open transaction": (["BEGIN", "CREATE TABLE never_there (a int)"], "SELECT to_regclass('never_there') IS NULL", "t"),
    "a failed transaction": (["BEGIN", "SELECT 1/0"], "SELECT 1", "1"),
    "a setting of an open transaction": (["BEGIN", "SET LOCAL work_mem TO '79MB'", "SELECT 1"], "SHOW work_mem", None),
    "a setting of the login": ([], "SHOW extra_float_digits", None),
}
PRIVATE_SEQUENCE = ["CREATE SEQUENCE IF NOT EXISTS shared_ticks", "SELECT nextval('shared_ticks')"]


def leave(client, statements):
    for statement in statements:
        client.query(statement)


def told(place, question):
    with WireClient(place).log_in() as client:
        return client.value(question)


def is_served(place):
    with WireClient(place).log_in() as client:
        return client.value("SELECT 'served'") == "served"


def sequence_is_private(place):
    """currval() before nextval() is an error in each new session."""
    with WireClient(place).log_in() as client:
        return errors(client.query("SELECT currval('shared_ticks')")) == ["55000"]


def first_row(answer):
    return values(answer)[0]
