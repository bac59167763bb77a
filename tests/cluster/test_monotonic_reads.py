"""No session reads back in time, nor one that takes over its floor: whatever it was that read the newer state, and wherever."""
import itertools
import os
import random
import signal
import threading

import pytest
import wire_messages as wire
from endpoint import Served
from replicas import Delayed, Paused, wait_for_replicas
from tandem import PATIENCE, wait_for
from wire_client import Closed, WireClient, errors, values

SESSIONS = 8
ALL = "SELECT n FROM counts ORDER BY id"


@pytest.fixture(scope="module", params=[1, 3], ids=["one_thread", "three_threads"])
def served(request):
    with Served(replicas=2, threads=request.param) as made:
        made.straight.sql(f"CREATE TABLE counts AS SELECT id, 0 AS n FROM generate_series(0, {SESSIONS}) AS id")
        wait_for_replicas(made)
        yield made


class Session(WireClient):
    """What it asks for, by its messages."""

    names = itertools.count()

    def __enter__(self):
        self.open().log_in()
        self.known = {}
        return self

    def rows(self, sql):
        return [int(n) for n, in values(self.query(sql))]

    def prepared(self, sql):
        """Parsed once by a name, and used again."""
        if sql not in self.known:
            self.known[sql] = f"s{next(self.names)}"
            self.send(wire.parse(sql, self.known[sql]), wire.sync())
            assert errors(self.until("Z")) == []
        self.send(wire.bind(statement=self.known[sql]), wire.execute(), wire.sync())
        return [int(n) for n, in values(self.until("Z"))]

    def unnamed(self, sql):
        self.send(wire.parse(sql), wire.bind(), wire.execute(), wire.sync())
        return [int(n) for n, in values(self.until("Z"))]

    def block(self, sql, begin="BEGIN"):
        self.query(begin)
        rows = self.rows(sql)
        assert errors(self.query("COMMIT")) == []
        return rows

    def floor(self):
        return self.value("SHOW pgtandem.floor")

    def take(self, floor):
        assert errors(self.query(f"SET pgtandem.floor = '{floor}'")) == []


# Reads of all rows, on the primary.
ON_PRIMARY = {
    "block": lambda session: session.block(ALL),
    "hint": lambda session: session.rows(f"/* pgtandem: primary */ {ALL}"),
    "parse": lambda session: session.unnamed(f"{ALL} OFFSET 0 -- {next(Session.names)}"),
    "function": lambda session: session.rows("WITH drawn AS (SELECT pg_current_xact_id_if_assigned()) SELECT n FROM counts, drawn ORDER BY id"),
}
WAYS_TO_READ = {
    "simple": lambda session: session.rows(ALL),
    "prepared": lambda session: session.prepared(ALL),
    "read_only": lambda session: session.block(ALL, "BEGIN READ ONLY"),
}
WAYS_TO_WRITE = {
    "query": lambda session, update: session.query(update),
    "extended": lambda session, update: session.unnamed(f"{update} RETURNING n"),
    "block": lambda session, update: session.block(f"{update} RETURNING n"),
    "several": lambda session, update: session.query(f"SELECT 1; {update}"),
    "cte": lambda session, update: session.rows(f"WITH written AS ({update} RETURNING n) SELECT n FROM written"),
}


def is_older(rows, seen):
    return any(now < before for now, before in zip(rows, seen, strict=True))


@pytest.mark.parametrize("way", ON_PRIMARY)
def test_what_was_seen_on_the_primary_is_seen_on_a_replica_after_an_own_write(served, way):
    with Session(served.endpoint) as reader, Session(served.endpoint) as writer, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for _ in range(20):
            assert errors(reader.query("UPDATE counts SET n = n + 1 WHERE id = 0")) == []
            assert errors(writer.query("UPDATE counts SET n = n + 1 WHERE id = 1")) == []
            seen = ON_PRIMARY[way](reader)
            assert not is_older(reader.rows(ALL), seen)


@pytest.mark.parametrize("way", [*ON_PRIMARY, *WAYS_TO_READ])
def test_a_floor_covers_what_was_only_read(served, way):
    with Session(served.endpoint) as reader, Session(served.endpoint) as writer, Delayed(served, "node2", 30):
        for _ in range(10):
            assert errors(writer.query("UPDATE counts SET n = n + 1 WHERE id = 1")) == []
            seen = (ON_PRIMARY | WAYS_TO_READ)[way](reader)
            floor = reader.floor()
            with Session(served.endpoint) as next_one:
                next_one.take(floor)
                assert not is_older(next_one.rows(ALL), seen)


class Mixed(threading.Thread):
    """Writes its own row in all ways and reads all of them in all ways; where its session is lost it begins anew."""

    def __init__(self, served, number, seed, ends):
        super().__init__(daemon=True)
        self.served, self.number, self.ends = served, number, ends
        self.chosen = random.Random(f"{seed} {number}")
        self.reads = 0
        self.fault = None

    def run(self):
        try:
            while not self.ends.is_set():
                try:
                    with Session(self.served.endpoint) as session:
                        self.serve(session)
                except (Closed, ConnectionRefusedError, AssertionError) as lost:
                    # The server was killed; what was read wrongly is told by a plain error.
                    if isinstance(lost, AssertionError) and not is_of_a_lost_server(lost):
                        raise
                    self.ends.wait(0.05)
        except BaseException as error:
            self.fault = error

    def serve(self, session):
        seen = [0] * (SESSIONS + 1)
        while not self.ends.is_set():
            if self.chosen.random() < 0.5:
                WAYS_TO_WRITE[self.chosen.choice(list(WAYS_TO_WRITE))](session, f"UPDATE counts SET n = n + 1 WHERE id = {self.number}")
            for _ in range(self.chosen.randrange(4)):
                ways = ON_PRIMARY if self.chosen.random() < 0.2 else WAYS_TO_READ
                seen = self.read(session, ways, seen)
            if self.chosen.random() < 0.1:
                floor = session.floor()
                with Session(self.served.endpoint) as next_one:
                    next_one.take(floor)
                    self.read(next_one, WAYS_TO_READ, seen)

    def read(self, session, ways, seen):
        way = self.chosen.choice(list(ways))
        rows = ways[way](session)
        if is_older(rows, seen):
            raise ValueError(f"session {self.number} had seen {seen}, and sees by {way}: {rows}")
        self.reads += 1
        return rows


def is_of_a_lost_server(failed):
    return any(f"'{sqlstate}'" in str(failed) for sqlstate in ("57P01", "57P02", "57P03", "08006", "08003", "08001", "53300", "40001", "25006"))


class Crowd:
    def __init__(self, served, seed):
        self.ends = threading.Event()
        self.sessions = [Mixed(served, number, seed, self.ends) for number in range(SESSIONS)]

    def __enter__(self):
        for session in self.sessions:
            session.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for session in self.sessions:
            session.join(PATIENCE)

    def reads(self):
        for session in self.sessions:
            if session.fault:
                raise session.fault
        return sum(session.reads for session in self.sessions)

    def go_on_for(self, reads):
        wanted = self.reads() + reads
        wait_for(lambda: self.reads() >= wanted, "the sessions to go on")


def kill_primary(served):
    before = served.tandem.postmaster("node1")
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: served.tandem.is_started_again("node1", before), "the primary to be started again")
    # The other one connects again only once its replay goes on.
    wait_for(lambda: served.tandem.node("node3")["state"] == "streaming", "node3 to stream")


def mix(served, reads):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    with Crowd(served, seed) as crowd:
        crowd.go_on_for(reads)
        with Paused(served, "node2"):
            crowd.go_on_for(reads)
            kill_primary(served)
            crowd.go_on_for(reads)
        wait_for_replicas(served)
        with Delayed(served, "node3", 100):
            crowd.go_on_for(reads)


def test_a_mix_of_all_ways_reads_nothing_back_in_time_while_a_replica_stands_still_and_the_primary_is_killed(served):
    mix(served, 500)


@pytest.mark.long
def test_the_same_for_longer(served):
    for _ in range(5):
        mix(served, 5000)
