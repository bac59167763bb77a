"""The endpoint shares reads with the replicas: what goes where, and that a session sees its own writes."""
import contextlib
import signal
import threading
import time

import psycopg
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from replicas import Paused, go_on, halt, wait_for_replicas
from tandem import PATIENCE, wait_for
from wire_client import WireClient, errors, values


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as made:
        with made.straight.connect() as session:
            session.execute("CREATE TABLE numbers AS SELECT n FROM generate_series(1, 100) AS n")
            session.execute("CREATE TABLE notes (id serial PRIMARY KEY, n int)")
        wait_for_replicas(made)
        # Before the first read nobody has asked the servers how far they are; that takes longer than a read waits.
        with replica(made.endpoint) as session:
            session.execute("UPDATE numbers SET n = n")
            wait_for(lambda: is_on_replica(session, "SELECT pg_is_in_recovery()"), "the servers to be asked")
        yield made


def session_of(served, **more):
    session = served.endpoint.connect(cursor_factory=psycopg.ClientCursor, **more)
    session.prepare_threshold = None
    return session


def kinds(session, count=400):
    """Whether it was on a replica, over so many reads."""
    return {session.execute("SELECT pg_is_in_recovery()").fetchone()[0] for _ in range(count)}


def replica(place):
    """The same, with the primary left out of the reads."""
    return place.connect(cursor_factory=psycopg.ClientCursor, options="-c pgtandem.route=replica")


def is_on_replica(session, query):
    return session.execute(query).fetchone()[0]


def ran_on(served, text):
    """Where a statement with this text ran, as each server tells of its sessions."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%" + text + "%' AND pid <> pg_backend_pid()"
    return {node for node in ("node1", "node2", "node3") if served.tandem.value(asked, node)}


# --- which way


def test_a_read_whose_client_is_gone_does_not_hold_up_a_replica(served):
    """It would stop what is replayed there. A client that has only ended its own side may still wait for the answer."""
    with WireClient(served.endpoint).log_in(options="-c pgtandem.route=replica") as client:
        client.send(wire.query("SELECT count(*) FROM generate_series(1, 100000000000)"))
        wait_for(lambda: served.busy_backends(), "the query to run")
        assert served.tandem.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()") == 0
        client.reset()
        wait_for(lambda: served.busy_backends() == [], "the query to end")


def test_reads_are_shared_by_all_servers_and_a_session_meets_several(served):
    seen = set()
    with session_of(served) as session:
        # It stays on each server for a while.
        wait_for(lambda: seen.update(kinds(session, 50)) or seen == {True, False}, "the session to have read on both kinds")
    before = {node: served.tandem.value("SELECT sum(xact_commit) FROM pg_stat_database", node) for node in ("node1", "node2", "node3")}
    sessions = [session_of(served) for _ in range(6)]
    threads = [threading.Thread(target=kinds, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for session in sessions:
        session.close()
    # The servers tell of their transactions a moment later.
    for node, count in before.items():
        wait_for(lambda node=node, count=count: served.tandem.value("SELECT sum(xact_commit) FROM pg_stat_database", node) > count + 200,
                 f"{node} to have had its share")


@pytest.mark.parametrize("query", [
    "SELECT 1 /* {} */", "VALUES (1) /* {} */", "TABLE numbers LIMIT 1 /* {} */", "WITH w AS (SELECT 1) SELECT * FROM w /* {} */",
    "EXPLAIN SELECT 1 /* {} */", "SELECT 1 /* {} */; SELECT 2", "SHOW search_path /* {} */", "SELECT n FROM numbers ORDER BY n LIMIT 1 /* {} */",
])
def test_a_read_runs_on_a_replica(served, query):
    with replica(served.endpoint) as session:
        session.execute(query.format(mark := f"mark_{abs(hash(query))}"))
        assert ran_on(served, mark) <= {"node2", "node3"} and ran_on(served, mark)


@pytest.mark.parametrize("query", [
    "INSERT INTO notes (n) VALUES (1) /* {} */", "WITH w AS (INSERT INTO notes (n) VALUES (1) RETURNING n) SELECT n FROM w /* {} */",
    "SELECT n FROM numbers LIMIT 1 FOR UPDATE /* {} */", "SELECT nextval('notes_id_seq') /* {} */", "SELECT pg_advisory_xact_lock(1) /* {} */",
    "SELECT 1 INTO TEMP made /* {} */", "SELECT 1 /* {} */; INSERT INTO notes (n) VALUES (1)", "SELECT pg_notify('a', 'b') /* {} */",
    "SELECT set_config('a.b', 'c', true) /* {} */", "SELECT count(*) FROM pg_stat_activity WHERE pid = 0 /* {} */",
    "SELECT last_value FROM notes_id_seq /* {} */", "LOCK TABLE notes /* {} */", "/* pgtandem: primary */ SELECT 1 /* {} */",
])
def test_what_is_no_read_runs_on_the_primary(served, query):
    with replica(served.endpoint) as session:
        with session.transaction() if query.startswith("LOCK") else contextlib.nullcontext():
            session.execute(query.format(mark := f"mark_{abs(hash(query))}"))
            assert ran_on(served, mark) == {"node1"}


def test_a_block_stays_on_the_primary_and_one_that_only_reads_on_a_replica(served):
    with replica(served.endpoint) as session:
        with session.transaction():
            assert not is_on_replica(session, "SELECT pg_is_in_recovery()")
        session.execute("BEGIN READ ONLY")
        assert is_on_replica(session, "SELECT pg_is_in_recovery()")
        assert is_on_replica(session, "SELECT pg_is_in_recovery()")
        session.execute("COMMIT")
        assert is_on_replica(session, "SELECT pg_is_in_recovery()")


def test_a_read_only_block_goes_on_on_the_primary_where_a_replica_would_not_do(served):
    with replica(served.endpoint) as session:
        session.execute("BEGIN READ ONLY")
        assert is_on_replica(session, "SELECT pg_is_in_recovery()")
        session.execute("SELECT pg_advisory_lock(7)")
        assert not is_on_replica(session, "SELECT pg_is_in_recovery()")
        assert served.tandem.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 1
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            session.execute("INSERT INTO notes (n) VALUES (1)")
        session.execute("ROLLBACK")
        session.execute("SELECT pg_advisory_unlock(7)")


@pytest.mark.parametrize("begin", ["BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", "BEGIN"])
def test_other_blocks_read_on_the_primary(served, begin):
    with replica(served.endpoint) as session:
        session.execute(begin)
        assert not is_on_replica(session, "SELECT pg_is_in_recovery()")
        session.execute("COMMIT")


def test_serializable_sessions_read_on_the_primary_without_an_error(served):
    with replica(served.endpoint) as session:
        session.execute("SET default_transaction_isolation = serializable")
        assert session.execute("SELECT count(*) FROM numbers").fetchone() == (100,)


def test_prepared_statements_and_binary_results_go_to_replicas_too(served):
    with served.endpoint.connect(options="-c pgtandem.route=replica") as session:
        session.prepare_threshold = 1
        seen = [session.execute("SELECT pg_is_in_recovery(), n FROM numbers WHERE n = %s", (n,), binary=True).fetchone() for n in range(1, 20)]
        assert [n for _, n in seen] == list(range(1, 20))
        assert seen[-1][0] is True


def test_pipelined_reads_and_writes_are_answered_in_order(served):
    with WireClient(served.endpoint).log_in(options="-c pgtandem.route=replica") as client:
        client.send(wire.query("SELECT 1"), wire.query("SELECT 2"), wire.query("CREATE TEMP TABLE t AS SELECT 3 AS n"),
                    wire.query("TABLE t"), wire.query("SELECT 4"))
        got = [client.until("Z") for _ in range(5)]
        assert [values(answer) for answer in got] == [[["1"]], [["2"]], [], [["3"]], [["4"]]]


def test_extended_messages_in_pieces_are_answered_all_the_same(served):
    with WireClient(served.endpoint).log_in() as client:
        messages = b"".join([wire.parse("SELECT $1::int + 1", ""), wire.bind([b"41"], "", "", False), wire.describe("P", ""),
                             wire.execute("", 0), wire.sync()])
        for place in range(0, len(messages), 7):
            client.send(messages[place:place + 7])
            time.sleep(0.001)
        assert values(client.until("Z")) == [["42"]]


def test_a_read_that_ties_the_session_to_a_backend_runs_on_the_primary(served):
    """It was pinned to a replica's, which did not take the write that followed, over and over."""
    with served.straight.connect() as session:
        session.execute("CREATE OR REPLACE FUNCTION tied() RETURNS int STABLE LANGUAGE sql AS 'SELECT 1'")
        session.execute("CREATE OR REPLACE FUNCTION tied_too() RETURNS text STABLE LANGUAGE plpgsql AS "
                        "$$ BEGIN EXECUTE 'SELECT 1'; RETURN current_setting('search_path'); END $$")
    with replica(served.endpoint) as session:
        for query in ("SELECT tied()", "SELECT tied_too()", "SET bytea_output TO escape", "INSERT INTO notes (n) VALUES (3)"):
            session.execute(query)


# --- what a replica cannot do


def test_what_a_replica_refuses_is_asked_again_on_the_primary(served):
    """A hint that is wrong; nothing has reached the client by then."""
    with served.straight.connect() as session:
        session.execute("CREATE OR REPLACE FUNCTION add_note() RETURNS int LANGUAGE sql AS 'INSERT INTO notes (n) VALUES (7) RETURNING n'")
    with replica(served.endpoint) as session:
        def is_asked_again():
            assert session.execute("SELECT add_note() /* pgtandem: replica */").fetchone() == (7,)
            return any(int(row["count"]) > 0 for row in served.console("SHOW ROUTES") if row["kind"] == "again")
        wait_for(is_asked_again, "a replica to be asked: one that is not up to date in time is not")


def test_unlogged_and_new_tables_are_read_where_they_are(served):
    with replica(served.endpoint) as session:
        session.execute("CREATE UNLOGGED TABLE IF NOT EXISTS fleeting AS SELECT 1 AS n")
        assert session.execute("SELECT n FROM fleeting").fetchone() == (1,)
        session.execute("CREATE TABLE IF NOT EXISTS fresh AS SELECT 2 AS n")
        assert session.execute("SELECT n FROM fresh").fetchone() == (2,)
        session.execute("DROP TABLE fresh")
        with pytest.raises(psycopg.errors.UndefinedTable):
            session.execute("SELECT n FROM fresh")


def test_errors_of_the_statement_itself_are_the_servers_own(served):
    with WireClient(served.endpoint).log_in(options="-c pgtandem.route=replica") as client:
        assert errors(client.query("SELECT 1 / 0")) == ["22012"]
        assert errors(client.query("SELECT n, 1 / (n - 50) FROM numbers ORDER BY n")) == ["22012"]
        assert errors(client.query("SELECT no_such_column FROM numbers")) == ["42703"]
        assert client.value("SELECT 1") == "1"


# --- its own writes


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_each_session_reads_its_own_writes_at_once(served, protocol):
    stale, on_replica = [], []

    def work(number):
        session = session_of(served) if protocol == "simple" else served.endpoint.connect()
        with session:
            session.execute(f"CREATE TABLE own_{protocol}_{number} (n int)")
            for count in range(1, 150):
                session.execute(f"INSERT INTO own_{protocol}_{number} VALUES (%s)", (count,))
                recovery, seen = session.execute(f"SELECT pg_is_in_recovery(), count(*) FROM own_{protocol}_{number}").fetchone()
                on_replica.append(recovery)
                if seen != count:
                    stale.append((number, count, seen))
            session.execute(f"DROP TABLE own_{protocol}_{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stale == [] and len(on_replica) == 6 * 149
    assert True in on_replica


def test_commits_that_do_not_wait_for_their_flush_are_seen_too(served):
    with session_of(served) as session:
        session.execute("SET synchronous_commit = off")
        session.execute("CREATE TABLE unflushed (n int)")
        for count in range(1, 200):
            session.execute("INSERT INTO unflushed VALUES (1)")
            assert session.execute("SELECT count(*) FROM unflushed").fetchone() == (count,)
        session.execute("DROP TABLE unflushed")


def test_commits_of_prepared_transactions_are_seen(served):
    with session_of(served) as session:
        session.execute("CREATE TABLE in_two_phases (n int)")
        for count in range(1, 30):
            session.execute("BEGIN")
            session.execute("INSERT INTO in_two_phases VALUES (1)")
            session.execute("PREPARE TRANSACTION 'two'")
            session.execute("COMMIT PREPARED 'two'")
            assert session.execute("SELECT count(*) FROM in_two_phases").fetchone() == (count,)
        session.execute("DROP TABLE in_two_phases")


def test_writes_within_functions_are_seen(served):
    with session_of(served) as session:
        session.execute("CREATE TABLE by_function (n int)")
        session.execute("CREATE FUNCTION add_one() RETURNS int LANGUAGE sql AS 'INSERT INTO by_function VALUES (1) RETURNING n'")
        for count in range(1, 50):
            session.execute("SELECT add_one()")
            assert session.execute("SELECT count(*) FROM by_function").fetchone() == (count,)
        session.execute("DROP FUNCTION add_one")
        session.execute("DROP TABLE by_function")


@pytest.mark.parametrize("statement", ["CALL commits_and_fails()", "DO $$ BEGIN INSERT INTO by_parts VALUES (1); COMMIT; RAISE 'too late'; END $$"])
def test_what_was_committed_within_a_statement_that_fails_is_seen(served, statement):
    with session_of(served) as session:
        session.execute("""CREATE TABLE by_parts (n int);
            CREATE PROCEDURE commits_and_fails() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO by_parts VALUES (1); COMMIT; RAISE 'too late'; END $$""")
        wait_for_replicas(served)
        for count in range(1, 50):
            with pytest.raises(psycopg.errors.RaiseException):
                session.execute(statement)
            assert session.execute("SELECT count(*) FROM by_parts").fetchone() == (count,)
        session.execute("DROP PROCEDURE commits_and_fails; DROP TABLE by_parts")


def test_a_replica_whose_replay_is_paused_gets_no_reads_of_what_it_lacks(served):
    with Paused(served, "node2", "node3"), session_of(served) as session:
        session.execute("CREATE TABLE while_paused AS SELECT 1 AS n")
        for count in range(2, 40):
            session.execute("INSERT INTO while_paused VALUES (1)")
            assert session.execute("SELECT count(*), pg_is_in_recovery() FROM while_paused").fetchone() == (count, False)
        with session_of(served) as other:
            other.execute("SET pgtandem.consistency = 'eventual'")
            other.execute("SET pgtandem.route = 'replica'")
            assert other.execute("SELECT to_regclass('while_paused')").fetchone() == (None,)
    with session_of(served) as session:
        wait_for(lambda: session.execute("SELECT count(*) FROM while_paused").fetchone() == (39,), "the replicas to follow again")
        session.execute("DROP TABLE while_paused")


def test_reads_never_go_back_in_time(served):
    """Somebody else writes; one replica stands still; whoever has seen a number never sees a smaller one."""
    with served.straight.connect() as writer:
        writer.execute("CREATE TABLE rising AS SELECT 0 AS n")
        wait_for_replicas(served)
        ends = threading.Event()

        def write():
            while not ends.is_set():
                writer.execute("UPDATE rising SET n = n + 1")

        thread = threading.Thread(target=write)
        with Paused(served, "node2"), session_of(served) as session:
            thread.start()
            try:
                last, places, reads = 0, set(), 0
                give_up = time.monotonic() + PATIENCE
                # It stays on each server for a while.
                while reads < 2000 or ((places != {True, False} or last == 0) and time.monotonic() < give_up):
                    reads += 1
                    n, place = session.execute("SELECT n, pg_is_in_recovery() FROM rising").fetchone()
                    assert n >= last
                    last = n
                    places.add(place)
                assert last > 0 and places == {True, False}
            finally:
                ends.set()
                thread.join()
        writer.execute("DROP TABLE rising")


def test_strict_reads_see_what_others_have_committed_also_by_another_endpoint(served):
    with Proxy(served, servers=[f"127.0.0.1:{served.tandem.node_port(node)}" for node in ("node1", "node2", "node3")],
               consistency="strict") as proxy, session_of(served) as writer:
        writer.execute("CREATE TABLE seen_by_all AS SELECT 0 AS n")
        with proxy.place.connect(cursor_factory=psycopg.ClientCursor) as reader:
            reader.prepare_threshold = None
            places = set()
            for count in range(1, 200):
                writer.execute("UPDATE seen_by_all SET n = n + 1")
                n, place = reader.execute("SELECT n, pg_is_in_recovery() FROM seen_by_all").fetchone()
                assert n == count
                places.add(place)
            assert True in places
        writer.execute("DROP TABLE seen_by_all")


def test_a_floor_can_be_carried_to_another_session(served):
    with Paused(served, "node2", "node3"), session_of(served) as first, session_of(served) as second:
        first.execute("CREATE TABLE carried AS SELECT 1 AS n")
        floor = first.execute("SHOW pgtandem.floor").fetchone()[0]
        second.execute(f"SET pgtandem.floor = '{floor}'")
        assert second.execute("SELECT n FROM carried").fetchone() == (1,)
        first.execute("DROP TABLE carried")


def test_explain_says_where_a_statement_would_go(served):
    with session_of(served) as session:
        told = [row[0] for row in session.execute("EXPLAIN (PGTANDEM) SELECT nextval('notes_id_seq')")]
        assert told[0] == "Route: primary" and "Detail: nextval" in told
        told = [row[0] for row in session.execute("EXPLAIN (PGTANDEM) SELECT n FROM numbers")]
        assert told == ["Route: any server that has seen enough", "Reason: read"]
        session.execute("SET pgtandem.route = 'primary'")
        assert "But: pgtandem.route is primary" in [row[0] for row in session.execute("EXPLAIN (PGTANDEM) SELECT n FROM numbers")]


def test_show_routes_counts_reasons_and_places(served):
    with session_of(served) as session:
        before = {(row["kind"], row["name"]): int(row["count"]) for row in served.console("SHOW ROUTES")}
        for _ in range(20):
            session.execute("SELECT n FROM numbers LIMIT 1")
        session.execute("INSERT INTO notes (n) VALUES (1)")
        after = {(row["kind"], row["name"]): int(row["count"]) for row in served.console("SHOW ROUTES")}
        assert after["statement", "read"] - before.get(("statement", "read"), 0) >= 20
        assert after["statement", "writes"] - before.get(("statement", "writes"), 0) >= 1
        assert sum(count for (kind, _), count in after.items() if kind == "read") > 0


def test_a_client_cannot_tell_that_it_is_on_a_replica(served):
    with WireClient(served.endpoint).log_in(options="-c pgtandem.route=replica") as client:
        shown = client.parameters.get("in_hot_standby")
        for _ in range(20):
            client.query("SELECT 1")
        assert client.parameters.get("in_hot_standby") == shown
        assert [found for found in client.transcript if found.kind == "S" and b"in_hot_standby\0on" in found.body] == []


# --- faults; last, since they stop servers


# Long enough to be found at work; the function is immutable as far as the catalog knows.
SLOW = """CREATE OR REPLACE FUNCTION slow(seconds float) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
    DECLARE until timestamptz := clock_timestamp() + seconds * interval '1 second';
    BEGIN WHILE clock_timestamp() < until LOOP END LOOP; RETURN pg_is_in_recovery(); END $$"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_read_on_a_replica_that_is_killed_or_hangs_is_answered_by_another(served, how):
    with served.straight.connect() as session:
        session.execute(SLOW)
    wait_for_replicas(served)
    with replica(served.endpoint) as session:
        wait_for(lambda: is_shared(session, "SELECT slow(0)"), "the catalog to be read")
        answers, query = [], f"SELECT slow(4.{how.value})"
        thread = threading.Thread(target=lambda: answers.append(session.execute(query).fetchone()[0]))
        thread.start()
        node = wait_for(lambda: next(iter(ran_on(served, query)), None), "the read to run")
        assert node != "node1"
        halt(served, node, how)
        try:
            thread.join()
            assert answers in ([True], [False])
            for _ in range(50):
                assert session.execute("SELECT count(*) FROM numbers").fetchone() == (100,)
        finally:
            go_on(served, node)
        assert session.execute("SELECT 1").fetchone() == (1,)


def is_shared(session, query):
    told = [row[0] for row in session.execute("EXPLAIN (PGTANDEM) " + query)]
    return told[0] != "Route: primary"
