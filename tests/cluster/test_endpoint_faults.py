"""Clients, backends and the server die at every step of a conversation: each side sees what the server itself would show, nobody
else is disturbed, and no backend is kept for a client that is gone."""
import contextlib
import os
import signal

import psycopg
from many_descriptors import many_descriptors
import pytest
import wire_messages as wire
from endpoint import served_for
from proxy import Proxy
from scripted import ALL_STEPS, HOLDING_STEPS, IDLE_STEPS, LEAVABLE_STEPS, LOGIN_STEPS, UNANSWERED_STEPS, big, client_at, is_served, names
from tandem import wait_for
from wire_client import WireClient, errors

POOL_SIZE = 3
NOT_READ = ("a result is not read", "a result is read in part", "a COPY to the client runs")
served = served_for(pool_size=POOL_SIZE)


def backends_are_few(served):
    """One that was told to end may be there for a moment while its successor is there too."""
    wait_for(lambda: len(served.backends()) <= served.most_backends(POOL_SIZE), "no more backends than the pool may have")


def nothing_is_kept(served):
    wait_for(lambda: served.busy_backends() == [], "no backend to work for a client that is gone")
    backends_are_few(served)
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    wait_for(lambda: served.straight.value(locks) == 0, "the locks of clients that are gone to be released")


@pytest.mark.parametrize("step", LEAVABLE_STEPS, ids=names(LEAVABLE_STEPS))
@pytest.mark.parametrize("leaving", ["close", "reset"])
def test_a_client_that_dies_leaves_nothing_behind(served, place, step, leaving):
    for _ in range(2 * POOL_SIZE):
        getattr(client_at(place, step), leaving)()
    assert is_served(place)
    nothing_is_kept(served)


@pytest.mark.parametrize("step", LOGIN_STEPS + IDLE_STEPS, ids=names(LOGIN_STEPS + IDLE_STEPS))
def test_clients_that_wait_hold_no_backend(served, endpoint, step):
    clients = [client_at(endpoint, step) for _ in range(3 * POOL_SIZE)]
    assert is_served(endpoint)
    backends_are_few(served)
    for client in clients:
        client.close()


def backend_of(served, place, step):
    """Through the endpoint the servers do not tell: a backend that is idle still bears its last client's name. A step that does
    not wait for its answer has come to its backend when that works at it; before, the one of the login may still be there."""
    def known():
        if place == served.straight:
            found = [backend[0] for backend in served.backends() if backend[2] == step[0]]
        else:
            found = [int(row["link"]) for row in served.console("SHOW CLIENTS") if row["application_name"] == step[0] and row["link"]]
        at_work = [backend[0] for backend in served.busy_backends() if not backend[3].startswith("SET ")]
        return [pid for pid in found if step not in UNANSWERED_STEPS or pid in at_work]
    return wait_for(known, f"the backend of '{step[0]}'")[0]


def what_a_killed_backend_shows(served, place, step):
    """The last error a client sees whose backend is terminated, and that the connection ends."""
    with client_at(place, step) as client:
        pid = backend_of(served, place, step)
        served.end_backend(pid)
        answer = client.until_closed()
        return errors(answer)


@pytest.mark.parametrize("step", HOLDING_STEPS, ids=names(HOLDING_STEPS))
def test_a_client_whose_backend_is_terminated_sees_what_the_server_shows(served, endpoint, step):
    wanted = what_a_killed_backend_shows(served, served.straight, step)
    shown = what_a_killed_backend_shows(served, endpoint, step)
    assert shown == wanted or (step[0] in NOT_READ and shown in ([], ["57P01"]))
    assert is_served(endpoint)
    nothing_is_kept(served)


@pytest.mark.long
@pytest.mark.parametrize("step", HOLDING_STEPS, ids=names(HOLDING_STEPS))
def test_a_terminated_backend_ends_its_own_client(served, step):
    """The yardstick of the test above. A server that cannot send, for its client does not read, may say nothing more."""
    shown = what_a_killed_backend_shows(served, served.straight, step)[-1:]
    assert shown == ["57P01"] or (step[0] in NOT_READ and shown == [])


def test_an_idle_client_does_not_notice_that_backends_are_terminated(served, endpoint):
    with WireClient(endpoint).log_in() as client:
        client.query("SET work_mem TO '77MB'")
        for pid, *_ in served.backends():
            served.end_backend(pid)
        wait_for(lambda: served.backends() == [], "the backends to end")
        assert client.value("SHOW work_mem") == "77MB"


def crash_the_servers(served):
    """All of them: wherever a client reads."""
    nodes = [served.straight.at(port=served.tandem.node_port(f"node{number}")) for number in range(1, served.replicas + 2)]
    def checkpointers():
        return [node.value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'") for node in nodes]
    victims = checkpointers()
    for victim in victims:
        os.kill(victim, signal.SIGKILL)

    def are_back():
        """A server answers for a moment before it has noticed."""
        try:
            after = checkpointers()
            if None in after or set(after) & set(victims):
                return False
            return [node.value("SELECT pg_is_in_recovery()") for node in nodes] == [False] + [True] * served.replicas
        except Exception:  # noqa: BLE001 - whatever they say while they are away
            return False
    wait_for(are_back, "the servers to recover")


@pytest.mark.parametrize("step", ALL_STEPS, ids=names(ALL_STEPS))
def test_the_server_crashes_and_the_endpoint_serves_again(served, endpoint, step):
    up = served.tandem.up_process()
    with client_at(endpoint, step) as client, WireClient(endpoint).log_in() as idle:
        if step in HOLDING_STEPS:
            backend_of(served, endpoint, step)  # what has not begun yet is done when the servers are back
        crash_the_servers(served)
        if step in HOLDING_STEPS:
            assert set(errors(client.until_closed())) <= {"57P02", "57P01", "08006", "57P03"}
        assert idle.value("SELECT 'still here'") == "still here"
    assert is_served(endpoint)
    nothing_is_kept(served)
    assert served.tandem.up_process() == up


def test_more_clients_than_backends_are_all_served(served, endpoint):
    clients = [WireClient(endpoint).log_in() for _ in range(60)]
    for client in clients:
        client.send(wire.query("SELECT pg_sleep(0.01), 'mine'"))
    assert all(client.until("Z")[1].body.endswith(b"mine") for client in clients)
    backends_are_few(served)
    for client in clients:
        client.close()


@pytest.fixture
def many_files():
    """As many as the system lets this process have."""
    with many_descriptors():
        yield


def test_a_flood_of_connections_does_not_keep_out_others(served, endpoint, many_files):
    """Also those that say nothing at all, or half of a startup, hold up nobody."""
    flood = [WireClient(endpoint) for _ in range(1500)]
    for client in flood[::2]:
        client.send(wire.startup({"user": "x"})[:6])
    assert is_served(endpoint)
    for client in flood:
        client.reset()
    assert is_served(endpoint)


def test_clients_beyond_the_limit_are_told(served):
    """By the answer to their startup message, with TLS or without: what comes before it is taken for an attack, or not shown."""
    with Proxy(served, client_connections=3) as proxy:
        clients = [WireClient(proxy.place).log_in() for _ in range(3)]
        for _ in range(2):
            with pytest.raises(psycopg.OperationalError, match="sorry, too many clients already"):
                proxy.place.connect()
        with proxy.place.at(dbname="pgtandem").connect(cursor_factory=psycopg.ClientCursor) as console:
            assert len(console.execute("SHOW CLIENTS").fetchall()) == 4
        clients.pop().terminate()

        def is_free():
            with contextlib.suppress(AssertionError):
                return is_served(proxy.place)
        wait_for(is_free, "the place to be free")
        for client in clients:
            client.close()


def test_clients_for_whom_there_are_no_files_are_told(served):
    with Proxy(served, open_files=400) as proxy:
        clients, refused = [], []
        for _ in range(260):
            client = WireClient(proxy.place)
            try:
                clients.append(client.log_in())
            except AssertionError as why:
                refused.append(str(why))
        assert len(clients) >= 150 and len(refused) >= 10
        assert all("'53300'" in why for why in refused)
        assert [client.value("SELECT 'served'") for client in clients[::40]] == ["served"] * len(clients[::40])
        assert "may have 400 open files" in proxy.log.read_text()
        for client in clients:
            client.close()


def grown(served, before):
    return served.up_resident_bytes() - before


def test_a_client_that_does_not_read_costs_no_memory_and_holds_up_nobody(served, endpoint):
    assert is_served(endpoint)
    before = served.up_resident_bytes()
    rows = 100_000
    with WireClient(endpoint).log_in() as slow:
        slow.send(wire.query(big(rows)))
        wait_for(lambda: [b for b in served.busy_backends() if "repeat" in b[3]], "the query to run")
        for _ in range(20):
            assert is_served(endpoint)
        assert grown(served, before) < 16 << 20
        assert sum(found.kind == "D" for found in slow.until("Z")) == rows
    assert grown(served, before) < 32 << 20


def test_giant_lengths_are_not_allocated(served, endpoint):
    assert is_served(endpoint)
    before = served.up_resident_bytes()
    clients = [WireClient(endpoint).log_in() for _ in range(20)]
    for client in clients:
        client.send(b"Q" + (900 << 20).to_bytes(4, "big") + b"SELECT '" + b"x" * 1000)
    assert is_served(endpoint)
    assert grown(served, before) < 32 << 20
    for client in clients:
        client.close()
    assert is_served(endpoint)


def test_a_large_query_passes_whole(place):
    text = "x" * (20 << 20)
    with WireClient(place).log_in() as client:
        assert client.value(f"SELECT length('{text}')") == str(len(text))
        assert client.value(f"SELECT '{text}'") == text


def test_memory_does_not_grow_with_what_was_served(served, endpoint):
    """Many clients, statements and big rows; after a first round nothing more may be kept."""
    def round_of_work():
        for number in range(150):
            with WireClient(endpoint).log_in() as client:
                client.send(*(wire.parse(f"SELECT {number} + {step}", f"s{step}") for step in range(20)), wire.sync())
                client.until("Z")
                client.query(big(500))
                client.query(f"SET my.setting{number % 10} TO '{number}'")
    round_of_work()
    before = served.up_resident_bytes()
    for _ in range(3):
        round_of_work()
    assert grown(served, before) < 8 << 20
