"""The end of the endpoint's process by a signal, whatever its clients are at: soon, with the right words, and nothing left on the servers."""
import contextlib
import signal
import socket
import time
from pathlib import Path

import psycopg
from many_descriptors import many_descriptors
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from tandem import wait_for
from wire_client import WireClient

BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name = 'closing'"


@pytest.fixture(scope="module")
def served():
    with Served() as made:
        yield made


@pytest.fixture(autouse=True)
def descriptors():
    with many_descriptors():
        yield


def clients(stack, place, count):
    made = []
    for _ in range(count):
        made.append(stack.enter_context(WireClient(place)).log_in(application_name="closing"))
    return made


def ends(proxy, seconds):
    began = time.monotonic()
    assert proxy.process.wait(seconds) == 0, proxy.log.read_text()
    return time.monotonic() - began


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("state", ["idle", "in a transaction", "asks for much and never reads", "half a message", "not logged in"])
def test_a_signal_ends_the_process_whatever_clients_are_at(served, state, first):
    with Proxy(served, threads=2) as proxy, contextlib.ExitStack() as stack:
        made = clients(stack, proxy.place, 10)
        for client in made:
            if state == "in a transaction":
                client.query("BEGIN; SELECT 1")
            if state == "asks for much and never reads":
                client.send(wire.query("SELECT repeat('x', 1000) FROM generate_series(1, 100000000)"))
            if state == "half a message":
                client.send(wire.query("SELECT " + "1," * 100_000 + "1")[:100_000])
        if state == "not logged in":
            silent = [stack.enter_context(socket.create_connection((proxy.place.host, proxy.place.port))) for _ in range(100)]
            assert len(silent) == 100
        proxy.process.send_signal(first)
        ends(proxy, 20)
        wait_for(lambda: served.straight.value(BACKENDS) == 0, "the backends to be gone")
        if state == "idle":
            assert wire.error_fields(made[0].until_closed()[0].body)["C"] == "57P01"


def test_many_clients_are_told_and_none_keeps_the_process(served):
    with Proxy(served, threads=2) as proxy, contextlib.ExitStack() as stack:
        made = clients(stack, proxy.place, 1500)
        proxy.process.terminate()
        ends(proxy, 20)
        for client in made:
            found = client.until_closed()
            assert [wire.error_fields(each.body)["C"] for each in found if each.kind == "E"] == ["57P01"]


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_no_harm(served, second):
    with Proxy(served, threads=2) as proxy, contextlib.ExitStack() as stack:
        for client in clients(stack, proxy.place, 20):
            client.send(wire.query("SELECT pg_sleep(60)"))
        for _ in range(20):
            with contextlib.suppress(ProcessLookupError):
                proxy.process.send_signal(second)
        ends(proxy, 20)
        wait_for(lambda: served.straight.value(BACKENDS) == 0, "the backends to be gone")


@pytest.mark.parametrize("given", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("which", ["former", "next"])
def test_a_signal_during_a_takeover_leaves_one_that_serves_or_none(served, which, given):
    """The former one is asked to end while it hands over; or the next one, after which the former one serves on."""
    with Proxy(served, threads=2) as proxy, contextlib.ExitStack() as stack:
        held = clients(stack, proxy.place, 3)
        held[0].query("BEGIN; SELECT 1")
        former = proxy.process
        proxy.start("--takeover")
        following = proxy.process
        target = former if which == "former" else following
        with contextlib.suppress(ProcessLookupError):
            target.send_signal(given)
        assert target.wait(20) == 0, proxy.log.read_text()
        if which == "former":
            assert proxy.place.value("SELECT 1") == 1
        else:
            # It had the sockets: new clients are refused, those of the former one are served to their end.
            assert held[1].value("SELECT 1") == "1"
            with pytest.raises(psycopg.OperationalError):
                proxy.place.value("SELECT 1")


def waits_for(session, table):
    """Sessions of pgtandem's own that wait for the lock on it."""
    return session.execute("""SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                              WHERE NOT l.granted AND l.relation = %s::regclass AND a.application_name LIKE 'pgtandem%%'""", [table]).fetchone()[0]


def is_changing_a_table(place):
    """Its next statement waits for the catalog to be read."""
    client = WireClient(place).log_in()
    client.query("SELECT 1")
    yield client
    client.query("CREATE TABLE IF NOT EXISTS changed (a int)")
    client.send(wire.query("SELECT * FROM changed"))


def is_logging_in(place):
    client = WireClient(place)
    yield client
    client.begin()


def has_workers(process):
    return any((task / "comm").read_text().startswith("worker") for task in Path(f"/proc/{process.pid}/task").iterdir())


@pytest.mark.parametrize("table, client", [("pg_range", is_changing_a_table), ("pg_db_role_setting", is_logging_in)], ids=["catalog", "login"])
@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_still_read_when_the_endpoint_stops_harms_nobody(served, table, client, threads):
    with Proxy(served, split=False, threads=threads) as proxy, served.straight.connect(autocommit=False) as holder:
        holder.execute("SET lock_timeout = '30s'")
        steps = client(proxy.place)
        asking = next(steps)
        holder.execute(f"LOCK TABLE pg_catalog.{table} IN ACCESS EXCLUSIVE MODE")
        next(steps, None)
        wait_for(lambda: waits_for(holder, table), "the endpoint to read it")
        proxy.process.send_signal(signal.SIGTERM)
        asking.until_closed()
        wait_for(lambda: not has_workers(proxy.process), "the workers to end")
        holder.rollback()
        assert proxy.process.wait(30) == 0, proxy.log.read_text()
