"""No session reads back in time, nor one that takes over its floor: whatever it was that read the newer state, and wherever. And, where
the level is `endpoint`, each read sees what anybody was told of before it."""
import itertools
import os
import random
import signal
import threading

import pytest
import wire_messages as wire
from crowd import Crowd
from endpoint import Served
from proxy import Proxy
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

    def __init__(self, place, level="session"):
        super().__init__(place, connect=False)
        self.level = level

    def __enter__(self):
        self.open().log_in(options=f"-c pgtandem.consistency={self.level}")
        self.known = {}
        return self

    def do(self, sql):
        assert errors(self.query(sql)) == []

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
        self.do("COMMIT")
        return rows

    def floor(self):
        return self.value("SHOW pgtandem.floor")

    def take(self, floor):
        self.do(f"SET pgtandem.floor = '{floor}'")


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
    "query": lambda session, update: session.do(update),
    "extended": lambda session, update: session.unnamed(f"{update} RETURNING n"),
    "block": lambda session, update: session.block(f"{update} RETURNING n"),
    "several": lambda session, update: session.do(f"SELECT 1; {update}"),
    "cte": lambda session, update: session.rows(f"WITH written AS ({update} RETURNING n) SELECT n FROM written"),
}


def is_older(rows, seen):
    return any(now < before for now, before in zip(rows, seen, strict=True))


@pytest.mark.parametrize("way", ON_PRIMARY)
def test_what_was_seen_on_the_primary_is_seen_on_a_replica_after_an_own_write(served, way):
    with Session(served.endpoint) as reader, Session(served.endpoint) as writer, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for _ in range(20):
            reader.do("UPDATE counts SET n = n + 1 WHERE id = 0")
            writer.do("UPDATE counts SET n = n + 1 WHERE id = 1")
            seen = ON_PRIMARY[way](reader)
            assert not is_older(reader.rows(ALL), seen)


@pytest.mark.parametrize("way", [*ON_PRIMARY, *WAYS_TO_READ])
def test_a_floor_covers_what_was_only_read(served, way):
    with Session(served.endpoint) as reader, Session(served.endpoint) as writer, Delayed(served, "node2", 30):
        for _ in range(10):
            writer.do("UPDATE counts SET n = n + 1 WHERE id = 1")
            seen = (ON_PRIMARY | WAYS_TO_READ)[way](reader)
            floor = reader.floor()
            with Session(served.endpoint) as next_one:
                next_one.take(floor)
                assert not is_older(next_one.rows(ALL), seen)


class Mixed(threading.Thread):
    """Writes its own row in all ways and reads all of them in all ways; where its session is lost, or it ends it, it begins anew."""

    def __init__(self, served, level, number, seed, told, ends):
        super().__init__(daemon=True)
        self.served, self.level, self.number, self.told, self.ends = served, level, number, told, ends
        self.chosen = random.Random(f"{seed} {number}")
        self.reads = 0
        self.fault = None

    def run(self):
        try:
            while not self.ends.is_set():
                try:
                    with Session(self.served.endpoint, self.level) as session:
                        self.serve(session)
                        session.reset()
                except (Closed, ConnectionRefusedError, AssertionError) as lost:
                    # The server was killed; what was read wrongly is told by a plain error.
                    if isinstance(lost, AssertionError) and not is_of_a_lost_server(lost):
                        raise
                    self.ends.wait(0.05)
        except BaseException as error:
            self.fault = error

    def serve(self, session):
        seen = ON_PRIMARY["hint"](session)
        written = seen[self.number]
        while not self.ends.is_set() and self.chosen.random() < 0.98:
            if self.chosen.random() < 0.5:
                WAYS_TO_WRITE[self.chosen.choice(list(WAYS_TO_WRITE))](session, f"UPDATE counts SET n = n + 1 WHERE id = {self.number}")
                written += 1
                self.told[self.number] = written
            for _ in range(self.chosen.randrange(4)):
                ways = ON_PRIMARY if self.chosen.random() < 0.2 else WAYS_TO_READ
                seen = self.read(session, ways, seen)
            if self.chosen.random() < 0.1:
                floor = session.floor()
                with Session(self.served.endpoint, self.level) as next_one:
                    next_one.take(floor)
                    self.read(next_one, WAYS_TO_READ, seen)

    def read(self, session, ways, seen):
        way = self.chosen.choice(list(ways))
        if self.level == "endpoint":
            seen = [max(now, told) for now, told in zip(seen, list(self.told), strict=True)]
        rows = ways[way](session)
        if is_older(rows, seen):
            raise ValueError(f"session {self.number} had seen {seen}, and sees by {way}: {rows}")
        self.reads += 1
        return rows


def is_of_a_lost_server(failed):
    return any(f"'{sqlstate}'" in str(failed) for sqlstate in ("57P01", "57P02", "57P03", "08006", "08003", "08001", "53300", "40001", "25006"))


class Readers(Crowd):
    def __init__(self, served, level, seed):
        super().__init__()
        told = [0] * (SESSIONS + 1)
        self.sessions = [Mixed(served, level, number, seed, told, self.ends) for number in range(SESSIONS)]

    def reads(self):
        self.check()
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


def mix(served, level, reads):
    seed = random.randrange(1 << 30)
    print("seed", seed)
    with Readers(served, level, seed) as crowd:
        crowd.go_on_for(reads)
        with Paused(served, "node2"):
            crowd.go_on_for(reads)
            kill_primary(served)
            crowd.go_on_for(reads)
        wait_for_replicas(served)
        with Delayed(served, "node3", 100):
            crowd.go_on_for(reads)


@pytest.mark.parametrize("level", ["session", "endpoint"])
def test_a_mix_of_all_ways_reads_nothing_too_old_while_a_replica_stands_still_and_the_primary_is_killed(served, level):
    mix(served, level, 500)


@pytest.mark.long
@pytest.mark.parametrize("level", ["session", "endpoint"])
def test_the_same_for_longer(served, level):
    for _ in range(5):
        mix(served, level, 5000)


def tell_each_other(sessions, rounds):
    """Each reads what another one has just been told of."""
    for number in range(rounds):
        writer, reader = sessions[number % len(sessions)], sessions[(number + 1) % len(sessions)]
        written = writer.rows("UPDATE counts SET n = n + 1 WHERE id = 0 RETURNING n")[0]
        for way in WAYS_TO_READ:
            assert WAYS_TO_READ[way](reader)[0] >= written, way


def test_a_session_sees_at_once_what_another_one_was_told_of(served):
    with Session(served.endpoint, "endpoint") as one, Session(served.endpoint, "endpoint") as other:
        tell_each_other([one, other], 50)
        with Delayed(served, "node2", 30), Delayed(served, "node3", 30):
            tell_each_other([one, other], 20)


def test_a_block_that_reads_sees_what_others_were_told_of_meanwhile(served):
    with Session(served.endpoint, "endpoint") as reader, Session(served.endpoint, "endpoint") as writer, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for _ in range(10):
            reader.query("BEGIN READ ONLY")
            reader.rows(ALL)
            written = writer.rows("UPDATE counts SET n = n + 1 WHERE id = 0 RETURNING n")[0]
            assert reader.rows(ALL)[0] >= written
            reader.query("COMMIT")


def test_what_a_block_has_written_counts_when_it_is_committed(served):
    """Both replicas stand still: a read that has to see more goes to the primary."""
    where = "SELECT pg_is_in_recovery()::int FROM counts WHERE id = 0"
    with Session(served.endpoint, "endpoint") as reader, Session(served.endpoint, "endpoint") as writer:
        writer.do("SELECT 1")
        wait_for_replicas(served)
        wait_for(lambda: reader.rows(where) == [1], "a read on a replica")
        with Paused(served, "node2"), Paused(served, "node3"):
            for statement in ("BEGIN", "UPDATE counts SET n = n + 1 WHERE id = 0", "SAVEPOINT a", "UPDATE counts SET n = n + 1"):
                writer.do(statement)
            # Past the endpoint: what there is of the block is on disk now, too.
            served.straight.sql("SELECT pg_logical_emit_message(true, 'on', 'disk')")
            assert [reader.rows(where) for _ in range(3)] == [[1]] * 3
            writer.do("COMMIT")
            assert reader.rows(where) == [0]
            writer.do("BEGIN; UPDATE counts SET n = n + 1; COMMIT; UPDATE counts SET n = n + 1 WHERE id = 1")
            assert reader.rows(where) == [0]


EARLY = {
    "COMMIT and Flush": (["BEGIN", "UPDATE counts SET n = n + 1 WHERE id = 0"], "COMMIT"),
    "all of it extended": ([], "BEGIN", "UPDATE counts SET n = n + 1 WHERE id = 0", "COMMIT"),
    "CALL and Flush": ([], "CALL counts_and_commits()"),
}


def told_early(client, statements):
    """By extended messages and Flush: CommandComplete of the last one, and no ReadyForQuery."""
    for sql in statements:
        client.send(wire.parse(sql), wire.bind(), wire.execute(), wire.flush())
        client.until("C")


@pytest.mark.parametrize("before, statements", [(before, rest) for before, *rest in EARLY.values()], ids=EARLY)
def test_what_is_told_before_ready_for_query_counts(served, before, statements):
    served.straight.sql("""CREATE OR REPLACE PROCEDURE counts_and_commits() LANGUAGE plpgsql AS $$
        BEGIN UPDATE counts SET n = n + 1 WHERE id = 0; COMMIT; RAISE NOTICE 'it is done'; PERFORM pg_sleep(0.3); END $$""")
    wait_for_replicas(served)
    with Session(served.endpoint, "endpoint") as reader, Session(served.endpoint, "endpoint") as writer, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for _ in range(4):
            known = reader.rows(ALL)[0]
            for sql in before:
                writer.do(sql)
            # A read between, so that nothing but the commit counts.
            reader.rows(ALL)
            told_early(writer, statements)
            assert reader.rows(ALL)[0] == known + 1
            writer.send(wire.sync())
            writer.until("Z")


def test_what_a_procedure_says_behind_its_commit_counts(served):
    served.straight.sql("""CREATE OR REPLACE PROCEDURE counts_and_commits() LANGUAGE plpgsql AS $$
        BEGIN UPDATE counts SET n = n + 1 WHERE id = 0; COMMIT; RAISE NOTICE 'it is done'; PERFORM pg_sleep(0.3); END $$""")
    wait_for_replicas(served)
    with Session(served.endpoint, "endpoint") as reader, Session(served.endpoint, "endpoint") as writer, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for _ in range(4):
            known = reader.rows(ALL)[0]
            writer.send(wire.query("CALL counts_and_commits()"))
            writer.until("N")
            assert reader.rows(ALL)[0] == known + 1
            writer.until("Z")


def test_a_view_a_trigger_and_a_partition_count_for_what_lies_behind_them(served):
    served.straight.sql("""
        CREATE TABLE base AS SELECT 1 AS id, 0 AS n; CREATE VIEW seen AS SELECT n FROM base;
        CREATE TABLE logged AS SELECT 1 AS id, 0 AS n; CREATE TABLE log AS SELECT 0 AS n;
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE log SET n = new.n; RETURN new; END $$;
        CREATE TRIGGER note AFTER UPDATE ON logged FOR EACH ROW EXECUTE FUNCTION note();
        CREATE TABLE parted (id int, n int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted FOR VALUES IN (1); INSERT INTO parted VALUES (1, 0);
        CREATE TABLE parent (id int, n int); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1, 0);
        CREATE TABLE referenced (id int PRIMARY KEY); CREATE TABLE referencing (n int REFERENCES referenced ON UPDATE CASCADE);
        INSERT INTO referenced VALUES (0); INSERT INTO referencing VALUES (0);
        CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS 'UPDATE base SET n = n + 1 RETURNING n'""")
    pairs = [("UPDATE base SET n = n + 1", "SELECT n FROM seen"), ("UPDATE logged SET n = n + 1", "SELECT n FROM log"),
             ("UPDATE parted SET n = n + 1", "SELECT n FROM part"), ("UPDATE part SET n = n + 1", "SELECT n FROM parted"),
             ("UPDATE child SET n = n + 1", "SELECT n FROM parent"), ("UPDATE parent SET n = n + 1", "SELECT n FROM child"),
             ("UPDATE referenced SET id = id + 1", "SELECT n FROM referencing"), ("SELECT bump()", "SELECT n FROM base"),
             ("BEGIN; UPDATE base SET n = n + 1; COMMIT", "SELECT n FROM base"), ("DO 'BEGIN UPDATE base SET n = n + 1; END'", "SELECT n FROM base"),
             ("WITH w AS (UPDATE base SET n = n + 1 RETURNING n) SELECT FROM w", "SELECT n FROM base")]
    wait_for_replicas(served)
    with Session(served.endpoint, "endpoint") as writer, Session(served.endpoint, "endpoint") as reader, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
        for write, read in pairs:
            reader.rows(read)
            for _ in range(4):
                before = int(served.straight.value(read))
                writer.do(write)
                assert reader.rows(read)[0] > before, (write, read)


def test_both_processes_of_a_takeover_see_what_either_has_acknowledged(served):
    nodes = [f"127.0.0.1:{served.tandem.node_port(node)}" for node in ("node1", "node2", "node3")]
    with Proxy(served, servers=nodes) as proxy, Session(proxy.place, "endpoint") as former:
        tell_each_other([former, former], 4)
        proxy.start("--takeover")
        with Session(proxy.place, "endpoint") as latter, Delayed(served, "node2", 30), Delayed(served, "node3", 30):
            tell_each_other([former, latter], 30)
