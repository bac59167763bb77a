"""Conversations after which somebody once waited for ever, a core was used up, or a backend was lost. What is sent is answered as by the
server itself, every wait has an end, and whoever comes next is served."""
import os
import signal
import struct
import subprocess
import sys
import time

import pytest
import wire_messages as wire
from conversation import DEADLINE, Impatient, gone, say
from side_by_side import cases, kind, q, run, side_by_side
from tandem import wait_for
from wire_client import Closed, WireClient, errors, values

both = side_by_side()
A, B = 0, 1
TABLES = "DROP TABLE IF EXISTS marks; CREATE TABLE marks (n int PRIMARY KEY, who text); INSERT INTO marks VALUES (1, 'one')"

PARSE, SYNC, FLUSH = wire.parse, wire.sync(), wire.flush()
READ = PARSE("SELECT n FROM marks", "r") + SYNC
WRITE = PARSE("UPDATE marks SET who = 'w'") + run()
FAILS = PARSE("SELECT 1/0") + run()
CALL_NOW = wire.function_call(1299, [])
LISTENS = [say(A, q("LISTEN a"))]
BAD_CLOSE = wire.close("X")
BODY_FLUSH = wire.message("H", b"x")
# A statement known before, so that its use can go to a replica.
KNOWN = [say(A, READ), say(A, run("r"), SYNC)]
PLACES = {
    # --- messages across a change of place
    "a read, a function call and a NOTIFY": [say(A, q("SELECT 1"), CALL_NOW, q("NOTIFY a"))] * 3,
    "a read and a function call": [say(A, q("SELECT 1"), CALL_NOW)] * 3,
    "a known read, a function call and a NOTIFY": [*KNOWN, say(A, run("r"), SYNC, CALL_NOW, q("NOTIFY a"))],
    "a read and a malformed Close": [say(A, q("SELECT 1"), BAD_CLOSE, SYNC)] * 3,
    "a known read and a malformed Close": [*KNOWN, say(A, run("r"), BAD_CLOSE, SYNC), say(A, run("r"), SYNC)],
    "a known read and a malformed Close behind it": [*KNOWN, say(A, run("r"), SYNC, BAD_CLOSE, SYNC, q("SELECT 1"))],
    "a malformed Close and no Sync": [*KNOWN, say(A, run("r"), SYNC, BAD_CLOSE), say(A, SYNC)],
    "a known read and a Flush with a body": [*KNOWN, say(A, run("r"), SYNC, BODY_FLUSH, SYNC)],
    "a known read and a Sync with a body": [*KNOWN, say(A, run("r"), wire.message("S", b"x"), SYNC)],
    "a known read and a cut Bind": [*KNOWN, say(A, run("r"), wire.message("B", b"\0r\0"), SYNC), say(A, run("r"), SYNC)],
    "a known read and a cut Execute": [*KNOWN, say(A, wire.bind(statement="r"), wire.message("E", b"\0"), SYNC), say(A, run("r"), SYNC)],
    "a known read and a cut Describe": [*KNOWN, say(A, wire.bind(statement="r"), wire.message("D", b""), SYNC), say(A, run("r"), SYNC)],
    "a known read and a cut Parse": [*KNOWN, say(A, run("r"), wire.message("P", b"x"), SYNC), say(A, run("r"), SYNC)],
    "a known read and an unknown message": [*KNOWN, say(A, run("r"), wire.message("!", b"x"), SYNC)],
    "a known read and COPY data": [*KNOWN, say(A, run("r"), wire.copy_data(b"x"), wire.copy_done(), SYNC), say(A, run("r"), SYNC)],
    **{f"a COPY and {name}": [say(A, q("COPY marks FROM STDIN"), wire.copy_data(b"7\tseven\n"), message)]
       for name, message in {"a Sync of an impossible length": b"SX\0\0\0", "a CopyDone of an impossible length": b"c\0\0\0\1", "a Flush that is too long": b"H\0\1\0\0"}.items()},
    "a COPY, then a Sync of an impossible length": [say(A, q("COPY marks FROM STDIN")), say(A, wire.copy_data(b"7\tseven\n")), say(A, b"SX\0\0\0")],
    "a Sync behind a read that a replica cannot run": [*KNOWN, say(A, PARSE("SELECT n FROM marks FOR UPDATE", "w"), SYNC), say(A, run("w"), SYNC, SYNC), say(A, run("r"), SYNC, run("w"), SYNC, SYNC)],
    "a Sync behind a hinted write": [*KNOWN, say(A, PARSE("/* pgtandem: replica */ UPDATE marks SET who = 'h'", "w"), SYNC), say(A, run("w"), SYNC, SYNC), say(A, q("SELECT 1"))],
    "a Sync behind a hinted write by a query": [*KNOWN, say(A, q("/* pgtandem: replica */ UPDATE marks SET who = 'h'"), SYNC, q("SELECT 1"))],
    "a Sync with a body behind an error, then an error": [say(A, FAILS, q("SELECT 1")), say(A, wire.message("S", b"x"), wire.message("P", b"\0SELECT 1\0\0c"), SYNC), say(A, q("SELECT 2"))],
    "a Sync with a body behind an error, and COPY data": [say(A, FAILS, q("SELECT 1")), say(A, q("CLOSE ALL"), wire.message("S", b"x"), wire.copy_data(b"x"), FAILS, SYNC)],
    "an error, Parse, Sync and Parse": [*KNOWN, say(A, FAILS, PARSE("SELECT 2", "s1"), SYNC, PARSE("SELECT 2", "s1"), SYNC)],
    **{f"Close of {what}, then {name}": [*KNOWN, say(A, close, then, SYNC), say(A, run("r"), SYNC)]
       for what, close in {"a portal": wire.close("P", "p"), "the unnamed portal": wire.close("P"), "the unnamed statement": wire.close("S"), "an unknown statement": wire.close("S", "x"),
                           "the statement": wire.close("S", "r")}.items()
       for name, then in {"a write": WRITE, "a known read": run("r"), "an error": FAILS, "a query": q("UPDATE marks SET who = 'q'")}.items()},
    "a known read, Close of its portal, a write": [*KNOWN, say(A, run("r", portal="p"), wire.close("P", "p"), WRITE, SYNC)],
    "a known read, Close, a write, each on its own": [*KNOWN, say(A, run("r", portal="p")), say(A, wire.close("P", "p")), say(A, WRITE), say(A, SYNC)],
    "Close of an unknown one alone, then a write": [*KNOWN, say(A, wire.close("P", "x")), say(A, WRITE), say(A, SYNC)],
    "a known read without a Sync, then a query": [*KNOWN, say(A, run("r"), q("SELECT 2")), say(A, SYNC)],
    "a known read without a Sync, then a write by a query": [*KNOWN, say(A, run("r"), q("UPDATE marks SET who = 'q'")), say(A, SYNC)],
    "a known read with a Flush, then a write": [*KNOWN, say(A, run("r"), FLUSH), say(A, WRITE, SYNC)],
    "half a portal with a Flush, then a write": [*KNOWN, say(A, q("BEGIN")), say(A, wire.bind(statement="r"), wire.execute(rows_max=1), FLUSH), say(A, WRITE, SYNC), say(A, q("COMMIT"))],
    "many Syncs between reads and writes": [*KNOWN, say(A, SYNC, run("r"), SYNC, SYNC, WRITE, SYNC, SYNC, run("r"), SYNC, SYNC)],
    "BEGIN READ ONLY, a read and a write": [*KNOWN, say(A, q("BEGIN READ ONLY"), run("r"), SYNC, WRITE, SYNC, q("ROLLBACK"))],
    "BEGIN READ ONLY, a function call": [*KNOWN, say(A, q("BEGIN READ ONLY"), q("SELECT 1"), CALL_NOW, q("COMMIT"))],
    "BEGIN READ ONLY and a malformed Close": [*KNOWN, say(A, q("BEGIN READ ONLY"), q("SELECT 1"), BAD_CLOSE, SYNC, q("COMMIT"))],
    "a NOTIFY to itself behind a read": [*LISTENS, say(A, q("SELECT 1"), q("NOTIFY a"), CALL_NOW)],
    # --- a setting of the server that ends a session
    "idle_session_timeout": [say(A, q("SET idle_session_timeout = '300ms'")), say(A, q("SELECT 1"), FLUSH)],
}


@cases(PLACES)
def test_messages_across_a_change_of_place_are_answered(both, kind, case):
    used = both.processor_seconds(kind)
    both.agree(kind, case, TABLES)
    time.sleep(0.2)
    assert both.processor_seconds(kind) - used < 1, "the endpoint uses its core though all are idle"


OWN = {"SHOW": "SHOW pgtandem.consistency", "SET": "SET pgtandem.consistency = 'session'", "SHOW of the floor": "SHOW pgtandem.floor", "EXPLAIN": "EXPLAIN (PGTANDEM) SELECT 1"}
BEFORE = {"nothing": b"", "a Parse": PARSE("SELECT 1", "s"), "a known read": run("r"), "a Describe": wire.describe("S", "r"), "a Close": wire.close("P"), "an error": FAILS,
          "a malformed Close": BAD_CLOSE, "a write": WRITE, "a Flush": FLUSH}


@pytest.mark.parametrize("as_query", [True, False], ids=["query", "extended"])
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("own", OWN)
def test_a_statement_of_the_endpoints_own_behind_an_unfinished_batch_is_answered(both, kind, own, before, as_query):
    """It has no counterpart straight: it is to be answered, and the session goes on."""
    place = both.proxies[kind].place
    both.prepare(place, TABLES)
    with WireClient(place).log_in(**both.parameters(kind)) as client:
        client.send(READ)
        client.until("Z")
        client.send(BEFORE[before] + (q(OWN[own]) if as_query else PARSE(OWN[own]) + run() + SYNC))
        # Behind an error what comes before the Sync is overlooked.
        if not (as_query and before in ("an error", "a malformed Close")):
            both.answered(kind, client, "Z")
        client.send(SYNC)
        both.answered(kind, client, "Z")
        assert values(both.answered(kind, client, "Z", q("SELECT 'goes on'"))) == [["goes on"]]
        client.terminate()
    assert both.complaints(kind, [])[0] == []


# --- a client that goes, at each step and in each way

LEAVING = ["close", "reset", "terminate", "half"]
PINS = q("SELECT pg_advisory_lock(5)")
UNFINISHED = {
    "a write without a Sync": [say(A, WRITE, FLUSH)],
    "a write without a Sync or a Flush": [say(A, WRITE)],
    "a lock without a Sync": [say(A, PARSE("LOCK TABLE marks"), run(), FLUSH)],
    "a Parse without a Sync": [say(A, PARSE("SELECT 1", "s1"))],
    "an error without a Sync": [say(A, FAILS, FLUSH)],
    "a write and an error without a Sync": [say(A, WRITE, FAILS)],
    "a known read without a Sync": [*KNOWN, say(A, run("r"))],
    "a batch within a block": [say(A, q("BEGIN")), say(A, WRITE, FLUSH)],
    "half a message behind a write": [say(A, WRITE + SYNC[:3])],
    "half a message within a block": [say(A, q("BEGIN"), WRITE, SYNC), say(A, q("SELECT 1")[:7])],
    "a COPY without its end": [say(A, PARSE("COPY marks FROM STDIN"), run(), FLUSH), say(A, wire.copy_data(b"7\tseven\n"))],
    "a COPY by a query without its end": [say(A, q("COPY marks FROM STDIN")), say(A, wire.copy_data(b"7\tseven\n"))],
    "a Flush with a body": [say(A, BODY_FLUSH)],
    "a pinned session's Flush with a body": [say(A, PINS), say(A, BODY_FLUSH)],
    "a pinned session's malformed Close": [say(A, PINS), say(A, BAD_CLOSE)],
    "a pinned session's cut Bind": [say(A, PINS), say(A, wire.message("B", b"\0"))],
    "a pinned session's Parse": [say(A, PINS), say(A, PARSE("SELECT 1"))],
    "a pinned session's error": [say(A, PINS), say(A, FAILS)],
    "a malformed Close within a block": [say(A, q("BEGIN"), WRITE, SYNC), say(A, BAD_CLOSE)],
    "a Flush with a body behind a write": [say(A, WRITE, BODY_FLUSH)],
    "a query behind an error": [say(A, FAILS, q("SELECT 1"))],
    "a query behind an error of Execute": [say(A, wire.execute("p"), q("SELECT 1"))],
    "a query behind an error, and a batch": [say(A, FAILS, q("SELECT 1")), say(A, PARSE("BEGIN", "s1"), wire.bind(statement="s1"))],
    "a query and CopyFail behind an error": [say(A, PARSE("BEGIN READ ONLY; PREPARE s1 AS SELECT 11; ROLLBACK", "s1"), q("SHOW work_mem"), wire.copy_fail("no"))],
    "a Sync behind a Flush with a body": [say(A, BODY_FLUSH), say(A, SYNC)],
    "a function call with a cut body within a block": [say(A, q("BEGIN"), WRITE, SYNC), say(A, wire.message("F", b"\0\0"))],
}


@pytest.mark.parametrize("leaving", LEAVING)
@cases(UNFINISHED)
def test_a_client_that_goes_leaves_its_backend_free(both, kind, case, leaving):
    """Its locks too: the next one can change what it had changed."""
    both.agree(kind, [*case, gone(A, leaving), say(B, q("UPDATE marks SET who = 'B' RETURNING n")), say(B, q("SELECT pg_try_advisory_lock(5)")),
                      say(B, q("TABLE marks"))], TABLES)
    assert both.open_transactions() == []


@pytest.mark.parametrize("leaving", ["close", "reset"])
@pytest.mark.parametrize("length", [8, 27, 4000])
def test_half_a_message_of_a_client_that_goes_does_not_swallow_the_next_ones(both, kind, length, leaving):
    """CopyData is the message that may be passed on in parts; here no COPY runs. A simple query of the next client has 27 bytes."""
    place = both.proxies[kind].place
    try:
        for attempt in range(20):
            with Impatient(place).log_in() as former:
                former.send(q("SELECT 1") + b"d" + struct.pack("!i", length) + b"8")
                time.sleep(0.01 * (attempt % 2))
                getattr(former, leaving)()
            with Impatient(place).log_in() as client:
                assert values(client.query("SELECT 'of the next one'")) == [["of the next one"]]
                assert values(client.query("SELECT 'once more'")) == [["once more"]]
    except (AssertionError, Closed):
        both.start_anew(kind)
        raise


def test_twenty_pinned_sessions_that_go_leave_their_backends(both):
    for _ in range(20):
        with WireClient(both.proxies["primary"].place).log_in() as client:
            client.query("SELECT pg_advisory_lock(5)")
            client.send(BODY_FLUSH)
    assert both.complaints("primary", [say(A, q("SELECT 1"))])[0] == []


PIPELINE = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as session, session.pipeline():
    session.execute("UPDATE marks SET who = 'killed'")
    session.execute("SELECT pg_advisory_xact_lock(5)")
    session.pgconn.send_flush_request()
    session.pgconn.flush()
    print("sent", flush=True)
    time.sleep(60)
"""


def test_a_driver_killed_within_its_pipeline_leaves_no_lock(both, kind):
    place = both.proxies[kind].place
    both.prepare(place, TABLES)
    process = subprocess.Popen([sys.executable, "-c", PIPELINE, place.uri()], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "sent\n"
    wait_for(lambda: both.open_transactions() != [], "the pipeline to run")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: both.open_transactions() == [], "the transaction to end", 5)
    assert both.complaints(kind, [say(A, q("UPDATE marks SET who = 'next'"))], TABLES)[0] == []


# --- what ends a session or a transaction by itself


def ends_by_itself(place, *messages):
    with Impatient(place).log_in() as client:
        for one in messages:
            client.send(one)
            client.until("Z")
        begun = time.monotonic()
        told = errors(client.until_closed())
        return told, round(time.monotonic() - begun)


TIMEOUTS = {
    "idle_in_transaction_session_timeout after a lone BEGIN": [q("SET idle_in_transaction_session_timeout = '1s'"), q("BEGIN")],
    "idle_in_transaction_session_timeout": [q("SET idle_in_transaction_session_timeout = '1s'"), q("BEGIN"), q("SELECT 1")],
    "idle_in_transaction_session_timeout after an error": [q("SET idle_in_transaction_session_timeout = '1s'"), q("BEGIN"), q("SELECT 1/0")],
    "idle_session_timeout": [q("SET idle_session_timeout = '1s'")],
    "idle_session_timeout after a query": [q("SET idle_session_timeout = '1s'"), q("SELECT 1")],
    "idle_session_timeout after a block": [q("SET idle_session_timeout = '1s'"), q("BEGIN"), q("COMMIT")],
}


@cases(TIMEOUTS)
def test_an_idle_timeout_of_the_session_ends_it(both, kind, case):
    wanted = ends_by_itself(both.straight, *case)
    assert wanted[0] and ends_by_itself(both.proxies[kind].place, *case) == wanted


def test_now_is_the_time_of_a_lone_begin(both, kind):
    with WireClient(both.proxies[kind].place).log_in() as client:
        client.query("BEGIN")
        time.sleep(0.5)
        assert client.value("SELECT clock_timestamp() - now() > '450 ms'") == "t"


def test_a_dropped_databases_clients_are_told(both, kind):
    """DROP DATABASE ... (FORCE) ends the other clients, idle ones as well."""
    def told(place):
        place.sql("DROP DATABASE IF EXISTS dropped WITH (FORCE)")
        place.sql("CREATE DATABASE dropped")
        with Impatient(place.at(dbname="dropped")).log_in() as client:
            client.query("SELECT 1")
            place.sql("DROP DATABASE dropped WITH (FORCE)")
            return errors(client.until_closed())
    assert told(both.proxies[kind].place) == told(both.straight) == ["57P01"]


def test_sigterm_ends_an_endpoint_whatever_its_clients_sent(both, kind):
    proxy = both.proxies[kind]
    both.prepare(proxy.place, TABLES)
    clients = [WireClient(proxy.place).log_in(**both.parameters(kind)) for _ in range(4)]
    for client in clients:
        client.send(q("SELECT 1") + CALL_NOW + q("NOTIFY a") + BAD_CLOSE)
    time.sleep(0.3)
    proxy.process.terminate()
    try:
        wait_for(lambda: proxy.process.poll() is not None, "the endpoint to end", 10)
    finally:
        both.start_anew(kind)
        for client in clients:
            client.close()


def test_a_length_that_lies_within_a_batch_ends_one_session(both, kind):
    both.agree(kind, [*KNOWN, say(A, run("r"), b"S" + struct.pack("!i", 3)), say(B, q("SELECT 1"))], TABLES)


def test_a_query_within_a_copy_that_has_failed_ends_the_session(both, kind):
    """The server would answer it; to the endpoint the COPY was still on when it was sent."""
    both.prepare(both.proxies[kind].place, TABLES)
    with Impatient(both.proxies[kind].place).log_in() as client:
        both.answered(kind, client, "G", q("COPY marks FROM STDIN"))
        client.send(wire.copy_data(b"no number\n"), q("SELECT 1"))
        with pytest.raises(Closed):
            while client.try_receive(DEADLINE):
                pass
    assert both.unanswered(both.proxies[kind].place) == []
