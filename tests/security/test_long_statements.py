"""A client's long statements and many functions: what they cost is bounded, and others are served meanwhile."""
import os

import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from stopped_thread import StoppedThread, thread_named
from tandem import wait_for
from wire_client import WireClient, errors, state, values

A_MEGABYTE = "SELECT " + "$1," * 330_000 + "1"
BOUND = 16 << 20  # of the verdicts of one database


@pytest.fixture(scope="module")
def served():
    with Served(replicas=1) as made:
        yield made


@pytest.fixture
def proxy(served):
    with Proxy(served, threads=1) as made:
        yield made


def reason(client, statement):
    lines = [row[0] for row in values(client.query(f"EXPLAIN (PGTANDEM) {statement}"))]
    return next(line for line in lines if line.startswith("Reason: "))


def console(proxy, command):
    with WireClient(proxy.place.at(dbname="pgtandem")).log_in() as client:
        return values(client.query(command))


def memory(proxy, name):
    return next(int(row[1]) for row in console(proxy, "SHOW MEM") if row[0] == name)


def pins(proxy):
    return " ".join(str(value) for row in console(proxy, "SHOW PINS") for value in row)


def test_a_long_statement_is_judged_while_others_are_served(proxy):
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        assert other.value("SELECT 1") == "1"
        assert reason(client, A_MEGABYTE) == "Reason: too_long"
        served_meanwhile = 0
        client.send(wire.query(f"EXPLAIN (PGTANDEM) {A_MEGABYTE}"))
        while client.try_receive(0.001) is None or served_meanwhile < 1:
            served_meanwhile += other.value("SELECT 1") == "1"
        client.until("Z")
        wait_for(lambda: reason(client, A_MEGABYTE) == "Reason: read", "the verdict")


KINDS = {
    "many statements": lambda size: "SELECT 1;" * (size // 9),
    "nothing but ends of statements": lambda size: ";" * (size - 20) + "SELECT 1",
    "deep nesting": lambda size: "SELECT " + "(" * (size // 2 - 10) + "1" + ")" * (size // 2 - 10),
    "parameters": lambda size: "SELECT " + "$1," * (size // 3 - 10) + "1",
    "one long string": lambda size: "SELECT '" + "_" * (size - 20) + "'",
    "a long comment": lambda size: "SELECT 1 /*" + "pgtandem " * (size // 9 - 5) + "*/",
}


def begin_reading(proxy, client):
    """The thread that reads long texts begins with the first one."""
    assert state(client.query("SELECT '" + "x" * 20_000 + "'")) == "I"
    return thread_named(proxy.process.pid, "reads texts")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may stop a thread of another user's process")
@pytest.mark.parametrize("size", [20_000, 1_000_000])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["query", "parse", "explain"])
def test_no_long_text_is_read_on_the_loop(proxy, kind, way, size):
    """The thread that reads them stands still: whoever sends one waits for it, and nobody else does."""
    text = KINDS[kind](size)
    messages = {"query": [wire.query(text)], "parse": [wire.parse(text), wire.sync()], "explain": [wire.query("EXPLAIN (PGTANDEM) " + text)]}[way]
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        with StoppedThread(begin_reading(proxy, client)):
            client.send(*messages)
            for _ in range(5):
                assert other.value("SELECT 1") == "1"
            assert client.try_receive(0.05) is None, "it was read on the loop"
        assert client.until("Z")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may stop a thread of another user's process")
def test_a_long_statement_that_was_prepared_is_read_anew_beside_the_loop_after_ddl(proxy):
    text = "SELECT 1 WHERE $1 IN (" + "$1," * 10_000 + "1)"
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        thread = begin_reading(proxy, client)
        client.send(wire.parse(text, "long", types=(23,)), wire.sync())
        assert errors(client.until("Z")) == []
        other.query("CREATE TABLE IF NOT EXISTS made_meanwhile ()")
        other.query("DROP TABLE made_meanwhile")
        with StoppedThread(thread):
            client.send(wire.bind([b"1"], "long"), wire.execute(), wire.sync())
            for _ in range(5):
                assert other.value("SELECT 1") == "1"
            assert client.try_receive(0.05) is None
        assert errors(client.until("Z")) == []


def test_what_a_long_text_does_is_known_before_it_runs(proxy):
    """Its settings are brought along, and its temporary table pins, behind as many statements as there may be."""
    filling = "SELECT 1;" * 9000
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        client.query(filling + "SET application_name = 'of a long text'")
        assert other.value("SHOW application_name") != "of a long text"
        assert client.value("SHOW application_name") == "of a long text"
        client.query(filling + "CREATE TEMP TABLE kept (a int)")
        other.query("SELECT 1")
        assert client.value("SELECT count(*) FROM kept") == "0"
        assert "temporary table" in pins(proxy)


def test_a_text_of_more_statements_than_are_followed_pins(proxy):
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        client.query("SELECT 1;" * 11_000 + "SET application_name = 'not followed'")
        assert client.value("SHOW application_name") == "not followed"
        assert other.value("SHOW application_name") != "not followed"
        assert "too long" in pins(proxy)


def test_a_hint_in_a_long_text_is_obeyed(proxy):
    long = "SELECT " + "$1," * 10_000 + "1"
    with WireClient(proxy.place).log_in() as client:
        wait_for(lambda: reason(client, long) == "Reason: read", "the verdict")
        assert reason(client, long + "/* pgtandem: primary */") == "Reason: hint_primary"
        assert reason(client, long) == "Reason: read"


def test_many_long_texts_at_once_are_all_answered(proxy):
    """More than are read at a time; some of the clients leave meanwhile."""
    clients = [WireClient(proxy.place).log_in() for _ in range(20)]
    try:
        for number, client in enumerate(clients):
            client.send(wire.query(f"SELECT {number};" + "SELECT 1;" * 100_000))
        for client in clients[::4]:
            client.reset()
        for number, client in enumerate(clients):
            if number % 4:
                assert values(client.until("Z"))[0] == [str(number)]
                assert client.value("SELECT 1") == "1"
    finally:
        for client in clients:
            client.close()


def test_a_client_that_leaves_while_its_text_is_read_leaves_nothing(proxy):
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        before = len(console(proxy, "SHOW CLIENTS"))
        with StoppedThread(begin_reading(proxy, client)):
            for _ in range(5):
                leaver = WireClient(proxy.place).log_in()
                leaver.send(wire.query("SELECT 1;" * 100_000))
                other.value("SELECT 1")
                leaver.reset()
        wait_for(lambda: len(console(proxy, "SHOW CLIENTS")) == before, "the clients to be gone")
        assert client.value("SELECT 1") == "1"


def test_what_is_remembered_of_statements_is_bounded_in_bytes(proxy):
    with WireClient(proxy.place).log_in() as client:
        most = 0
        for number in range(1200):
            reason(client, f"SELECT 1 AS a{number};" * 150)
            if number % 100 == 99:
                used = memory(proxy, "verdicts")
                assert used <= BOUND
                most = max(most, used)
        assert most > BOUND // 4


def test_a_chain_of_functions_does_not_hold_up_others(proxy):
    """Of which the last one does something that all of them do therefore."""
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        made = client.query("""DO $$ BEGIN FOR i IN 1..12000 LOOP EXECUTE format('CREATE FUNCTION pg_temp.chain%s() RETURNS int STABLE LANGUAGE sql
            AS %L', 12001 - i, CASE i WHEN 1 THEN 'SELECT pg_backend_pid()' ELSE format('SELECT pg_temp.chain%s()', 12002 - i) END); END LOOP; END $$""")
        assert errors(made) == []
        client.query("CREATE TABLE made_by_chain ()")
        client.query("DROP TABLE made_by_chain")
        for _ in range(3):
            other.send(wire.query("SELECT count(*) FROM pg_class"))
            assert other.try_receive(15), "it waits for the catalog"
            other.until("Z")
