"""Sessions write and read back at once, while replicas fall behind, hang and die in turn: no session misses what it has written, none
reads back in time, none misses what another one was told of before, none hangs, none sees an error."""
import os
import random
import signal
import threading
import time

import psycopg
import pytest
from crowd import Crowd
from endpoint import Served
from replicas import Delayed, Paused, startup_process, wait_for_replicas
from tandem import PATIENCE, wait_for

SESSIONS = 12
# A fault lasts until all together have written and read so often.
ROUNDS = 300


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as made:
        made.straight.sql(f"CREATE TABLE counts AS SELECT id, 0 AS n FROM generate_series(0, {SESSIONS - 1}) AS id")
        wait_for_replicas(made)
        yield made


class Session(threading.Thread):
    """Every other one speaks the extended protocol, with prepared statements."""

    def __init__(self, crowd, number):
        super().__init__(daemon=True)
        self.crowd, self.number = crowd, number
        self.rounds = self.on_replica = 0
        self.slowest = 0.0
        self.seen = [0] * SESSIONS
        self.fault = None

    def run(self):
        kind = {} if self.number % 2 else {"cursor_factory": psycopg.ClientCursor}
        try:
            with self.crowd.served.endpoint.connect(**kind) as connection:
                connection.prepare_threshold = 2 if self.number % 2 else None
                while not self.crowd.ends.is_set():
                    self.write_and_read(connection)
        except BaseException as error:
            self.fault = error

    def write_and_read(self, connection):
        written, = self.ask(connection, "UPDATE counts SET n = n + 1 WHERE id = %s RETURNING n", self.number)[0]
        (read, place), = self.ask(connection, "SELECT n, pg_is_in_recovery() FROM counts WHERE id = %s", self.number)
        assert read == written, f"session {self.number} wrote {written} and read {read}, on a replica: {place}"
        self.crowd.told[self.number] = written
        told = list(self.crowd.told)
        rows = self.ask(connection, "SELECT n, pg_is_in_recovery() FROM counts WHERE id >= %s ORDER BY id", 0)
        seen = [n for n, _ in rows]
        assert all(now >= before for now, before in zip(seen, self.seen)), f"session {self.number} had seen {self.seen}, and sees {rows}"
        assert seen[self.number] == written
        assert all(now >= before for now, before in zip(seen, told)), f"others were told of {told}, and session {self.number} sees {rows}"
        self.seen = seen
        self.on_replica += place
        self.rounds += 1

    def ask(self, connection, text, *values):
        begun = time.monotonic()
        rows = connection.execute(text, values).fetchall()
        self.slowest = max(self.slowest, time.monotonic() - begun)
        return rows


class Writers(Crowd):
    def __init__(self, served):
        super().__init__()
        self.served = served
        self.told = [0] * SESSIONS
        self.sessions = [Session(self, number) for number in range(SESSIONS)]

    def __enter__(self):
        self.served.straight.sql("UPDATE counts SET n = 0")
        wait_for_replicas(self.served)
        return super().__enter__()

    def rounds(self):
        self.check()
        return sum(session.rounds for session in self.sessions)

    def go_on_for(self, rounds=ROUNDS):
        """Until all together have come so far, and each one has done something."""
        each = [session.rounds for session in self.sessions]
        wanted = self.rounds() + rounds
        wait_for(lambda: self.rounds() >= wanted and all(session.rounds > before for session, before in zip(self.sessions, each)),
                 "the sessions to go on")

    def share_on_replicas(self):
        on_replica, rounds = sum(session.on_replica for session in self.sessions), self.rounds()
        self.go_on_for()
        return (sum(session.on_replica for session in self.sessions) - on_replica) / (self.rounds() - rounds)


# --- the faults; each goes on until the sessions have done enough in it


def delayed(crowd, node):
    with Delayed(crowd.served, node, 200):
        crowd.go_on_for()


def paused(crowd, node):
    with Paused(crowd.served, node):
        crowd.go_on_for()


def slow(crowd, node):
    """Replay stands still and goes on in turns."""
    startup = startup_process(crowd.served, node)
    for _ in range(10):
        for how in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(startup, how)
            crowd.go_on_for(ROUNDS // 20)


def killed(crowd, node):
    before = crowd.served.tandem.postmaster(node)
    os.kill(before, signal.SIGKILL)
    crowd.go_on_for()
    wait_for(lambda: crowd.served.tandem.is_started_again(node, before), f"{node} to be started again")
    wait_for(lambda: crowd.served.tandem.node(node)["state"] == "streaming", f"{node} to stream")


FAULTS = (delayed, paused, slow, killed)


def try_faults(served, turns):
    with Writers(served) as crowd:
        for fault, node in turns:
            crowd.go_on_for(ROUNDS // 3)
            fault(crowd, node)
            crowd.check()
            wait_for_replicas(served, node)
        wait_for(lambda: crowd.share_on_replicas() > 0.5, "most reads to run on replicas again")
    crowd.check()
    assert not any(session.is_alive() for session in crowd.sessions)
    slowest = max(session.slowest for session in crowd.sessions)
    print(f"{crowd.rounds()} rounds; the slowest statement took {slowest:.2f} s")
    assert slowest < PATIENCE


def test_no_session_misses_its_own_writes_or_reads_back_in_time_while_replicas_fail(served):
    try_faults(served, [(fault, ("node2", "node3")[turn % 2]) for turn, fault in enumerate(FAULTS)])


@pytest.mark.long
def test_the_same_for_longer_in_any_order(served):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chosen = random.Random(seed)
    try_faults(served, [(chosen.choice(FAULTS), chosen.choice(("node2", "node3"))) for _ in range(24)])
