"""Replicas that are behind: who may read there, until when, and that nobody is told too little."""
import threading

import psycopg
import pytest
from endpoint import Served
from proxy import Proxy
from replicas import Delayed, Paused, wait_for_replicas
from tandem import wait_for

NODES = ("node1", "node2", "node3")
MAX_LAG_MS = 500


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2, max_lag_ms=MAX_LAG_MS, read_only_functions="server_port") as made:
        made.straight.sql("CREATE FUNCTION server_port() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN current_setting('port'); END $$")
        made.straight.sql("CREATE TABLE ticks AS SELECT 0 AS n")
        made.straight.sql("CREATE TABLE notes AS SELECT id, 0 AS n FROM generate_series(0, 8) AS id")
        wait_for_replicas(made)
        yield made


class Ticking:
    """Somebody writes all the while, straight to the primary."""

    def __init__(self, served):
        self.served = served
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()

    def run(self):
        with self.served.straight.connect() as session:
            while not self.ends.wait(0.02):
                session.execute("UPDATE ticks SET n = n + 1")


class Reader:
    def __init__(self, served, consistency):
        options = f"-c pgtandem.route=replica -c pgtandem.consistency={consistency}"
        self.session = served.endpoint.connect(cursor_factory=psycopg.ClientCursor, options=options)
        self.session.prepare_threshold = None
        self.names = {served.tandem.node_port(node): node for node in NODES}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()

    def places(self, count=20):
        return {self.names[self.session.execute("SELECT server_port()").fetchone()[0]] for _ in range(count)}

    def wait_to_meet(self, *nodes):
        """It takes turns, sometimes for a while each."""
        seen = set()
        wait_for(lambda: seen.update(self.places()) or set(nodes) <= seen, f"a read on each of {nodes}")


def lag_of(served, node):
    return next(int(row["lag_ms"]) for row in served.console("SHOW NODES") if row["node"] == node)


def wait_until_it_lags(served, *nodes):
    for node in nodes:
        wait_for(lambda node=node: lag_of(served, node) > MAX_LAG_MS, f"{node} to be seen to lag")


@pytest.mark.parametrize("consistency", ["bounded", "session"])
def test_a_replica_too_far_behind_gets_no_reads_until_it_has_caught_up(served, consistency):
    with Ticking(served), Reader(served, consistency) as reader:
        reader.wait_to_meet("node2", "node3")
        with Paused(served, "node2"):
            wait_until_it_lags(served, "node2")
            assert "node2" not in reader.places(500)
        reader.wait_to_meet("node2", "node3")


def test_the_reads_port_leaves_out_a_replica_too_far_behind(served):
    """Also where its backends are free, and for sessions that have read there."""
    place = served.endpoint.at(port=served.endpoint.port + 1)
    names = {served.tandem.node_port(node): node for node in NODES}
    with Ticking(served), place.connect() as first, place.connect() as second:
        def places(count=20):
            return {names[session.execute("SELECT server_port()").fetchone()[0]] for _ in range(count) for session in (first, second)}
        wait_for(lambda: places() == {"node2", "node3"}, "a backend on each replica")
        with Paused(served, "node2"):
            wait_until_it_lags(served, "node2")
            assert places(100) == {"node3"}
            with Paused(served, "node3"):
                wait_until_it_lags(served, "node3")
                with pytest.raises(psycopg.Error, match="there is no replica that can take reads at present"):
                    first.execute("SELECT 1")
            wait_for(lambda: places() == {"node3"}, "a read on the one that is there again")


def test_without_a_replica_that_is_near_enough_reads_run_on_the_primary(served):
    with Ticking(served), Reader(served, "bounded") as bounded, Reader(served, "eventual") as eventual:
        with Paused(served, "node2", "node3"):
            wait_until_it_lags(served, "node2", "node3")
            assert bounded.places(100) == {"node1"}
            assert "node1" not in eventual.places(100)
        bounded.wait_to_meet("node2", "node3")


def test_a_replica_that_is_always_late_gets_no_reads(served):
    with Ticking(served), Reader(served, "bounded") as reader:
        with Delayed(served, "node3", 4 * MAX_LAG_MS):
            wait_until_it_lags(served, "node3")
            assert "node3" not in reader.places(500)
        reader.wait_to_meet("node3")


def test_strict_reads_by_two_endpoints_miss_nothing_while_a_replica_is_late(served):
    """Either writes and the other reads; it is always the last value that was acknowledged."""
    servers = [f"127.0.0.1:{served.tandem.node_port(node)}" for node in NODES]
    with Proxy(served, servers=servers, consistency="strict", max_lag_ms=0) as proxy, Delayed(served, "node2", 100):
        options = {"cursor_factory": psycopg.ClientCursor, "options": "-c pgtandem.consistency=strict"}
        with served.endpoint.connect(**options) as here, proxy.place.connect(**options) as there:
            for session in (here, there):
                session.prepare_threshold = None
            wanted, places = here.execute("SELECT n FROM ticks").fetchone()[0], set()
            for turn in range(200):
                writer, reader = (here, there) if turn % 2 else (there, here)
                writer.execute("UPDATE ticks SET n = n + 1")
                wanted += 1
                n, place = reader.execute("SELECT n, pg_is_in_recovery() FROM ticks").fetchone()
                assert n == wanted, f"on a replica: {place}"
                places.add(place)
    assert True in places


def test_sessions_that_write_leave_the_primary_its_share_of_the_reads(served):
    """Some of them read where they write; none reads anything but what it has written."""
    places, faults = [], []

    def work(number):
        with served.endpoint.connect(options="-c pgtandem.consistency=session") as session:
            for count in range(150):
                session.execute("UPDATE notes SET n = %s WHERE id = %s", (count, number))
                for _ in range(3):
                    read, place = session.execute("SELECT n, pg_is_in_recovery() FROM notes WHERE id = %s", (number,)).fetchone()
                    places.append(place)
                    if read != count:
                        faults.append((number, count, read, place))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    later = places[len(places) // 2:]
    assert len(places) == 9 * 150 * 3
    assert 0.1 < later.count(False) / len(later) < 0.6
