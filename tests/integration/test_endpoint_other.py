"""What else the endpoint promises: replication connections, reads from replicas, cancelling, and its limits."""
import contextlib
import os
import signal
import subprocess

import pytest
import wire_messages as wire
from endpoint import Served
from login import HbaFile, in_threads, refusal
from tandem import environment, pg_program, server_user, wait_for
from wire_client import WireClient, errors, state, values

@pytest.fixture(scope="module")
def served():
    with Served() as made:
        made.tandem.ok("down")
        made.tandem.up(*made.settings_words(), "--set", "max_connections=300", "--set", "wal_level=logical")
        yield made


# --- replication


@pytest.fixture(autouse=True, scope="module")
def hba(served):
    with HbaFile(served) as file:
        file.write("host replication replicator 127.0.0.1/32 scram-sha-256", "local replication replicator scram-sha-256")
        file.load()
        yield file


@pytest.fixture
def replicator(served, request):
    with served.straight.connect() as session:
        session.execute(f"CREATE ROLE replicator LOGIN PASSWORD 'x' {getattr(request, 'param', 'REPLICATION')}")
        yield lambda place: place.at(user="replicator", password="x")
        session.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'of_test%'")
        session.execute("DROP ROLE replicator")


@pytest.fixture
def target(served):
    folder = served.tandem.parent / "of_replication"
    subprocess.run(["rm", "-rf", str(folder)], check=True)
    folder.mkdir()
    if server_user():
        os.chown(folder, server_user()["user"], server_user()["group"])
    return folder


def test_a_base_backup_by_the_endpoint_is_whole(place, replicator, target):
    done = replicator(place).run(pg_program("pg_basebackup"), "-D", target / "data", "-X", "stream", "-c", "fast")
    assert done.returncode == 0, done.stderr
    checked = replicator(place).run(pg_program("pg_verifybackup"), target / "data")
    assert "successfully verified" in checked.stdout, checked


def started(place, program, *words):
    return subprocess.Popen([pg_program(program), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            cwd="/tmp", env=environment(**place.variables()), **server_user())


def test_wal_is_received(served, place, replicator, target):
    where = replicator(place)
    assert where.run(pg_program("pg_receivewal"), "--create-slot", "-S", "of_test").returncode == 0
    process = started(where, "pg_receivewal", "-D", target, "-S", "of_test", "--synchronous")
    try:
        with served.straight.connect() as session:
            streams = "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'pg_receivewal'"
            wait_for(lambda: session.execute(streams).fetchone()[0] == 1, "the stream to begin")
            # Where nothing has been written since the last switch there is none.
            session.execute("SELECT pg_logical_emit_message(true, 'received', '')")
            written = session.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()[0]
            session.execute("SELECT pg_switch_wal()")
            wait_for((target / written).exists, f"WAL file {written}")
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_a_logical_stream_is_received(served, place, replicator):
    where = replicator(place)
    with served.straight.connect() as session:
        session.execute("DROP TABLE IF EXISTS decoded")
        session.execute("CREATE TABLE decoded (a int)")
        assert where.run(pg_program("pg_recvlogical"), "-d", place.dbname, "--create-slot", "-S", "of_test_logical", "-P",
                         "test_decoding").returncode == 0
        session.execute("INSERT INTO decoded SELECT generate_series(1, 1000)")
        until = session.execute("SELECT pg_current_wal_insert_lsn()").fetchone()[0]
        session.execute("SELECT pg_logical_emit_message(true, 'end', '')")
        done = where.run(pg_program("pg_recvlogical"), "-d", place.dbname, "--start", "-S", "of_test_logical", "-f", "-", "-E", until)
        assert done.returncode == 0 and done.stdout.count("INSERT: a[integer]:") == 1000, done.stderr


@pytest.mark.parametrize("replication", ["true", "database"])
def test_commands_of_a_replication_connection(place, replicator, replication):
    with WireClient(replicator(place)).log_in(replication=replication) as client:
        assert values(client.query("IDENTIFY_SYSTEM"))[0][3] == (place.dbname if replication == "database" else None)
        assert values(client.query("SHOW work_mem")) == [["4MB"]]
        if replication == "database":
            assert client.value("SELECT 1") == "1"
        assert errors(client.query("NO_SUCH_COMMAND")) == ["42601" if replication == "database" else "0A000"]
        assert state(client.query("IDENTIFY_SYSTEM")) == "I"
        client.terminate()


@pytest.mark.parametrize("replicator", ["NOREPLICATION"], indirect=True)
@pytest.mark.parametrize("replication", ["true", "database"])
def test_replication_is_refused_as_by_the_server(served, endpoint, replicator, replication):
    straight = refusal(replicator(served.straight), replication=replication)
    assert straight["C"] == "42501"
    assert refusal(replicator(endpoint), replication=replication) == straight


def test_a_replication_connection_that_ends_leaves_no_walsender(served, endpoint, replicator):
    with WireClient(replicator(endpoint)).log_in(replication="true") as client:
        assert values(client.query("IDENTIFY_SYSTEM"))
        client.reset()
    senders = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND usename = 'replicator'"
    wait_for(lambda: served.straight.value(senders) == 0, "the walsender to end")


# --- cancelling


def asleep(served, count=1):
    return wait_for(lambda: len([row for row in served.busy_backends() if "pg_sleep" in row[3]]) == count, "the queries to run")


def test_a_cancel_request_ends_its_own_query_only(served, place):
    with WireClient(place).log_in() as first, WireClient(place).log_in() as second, WireClient(place).log_in() as idle:
        for client in (first, second):
            client.send(wire.query("SELECT pg_sleep(500)"))
        asleep(served, 2)
        idle.cancel()
        first.cancel(key=bytes(len(first.key)))
        first.cancel(pid=first.pid ^ 1)
        first.cancel(key=b"")
        assert len([row for row in served.busy_backends() if "pg_sleep" in row[3]]) == 2
        first.cancel()
        assert errors(first.until("Z")) == ["57014"]
        asleep(served, 1)
        assert second.try_receive(0) is None
        second.cancel()
        assert errors(second.until("Z")) == ["57014"]
        assert [client.value("SELECT 1") for client in (first, second, idle)] == ["1"] * 3


# --- limits


@pytest.fixture(scope="module")
def narrow():
    """One backend in all, and room for two who wait."""
    with Served(replicas=0, pool_size=1, queue_length=2) as made:
        yield made


def waiting(served):
    return [row for row in served.console("SHOW CLIENTS") if row["state"] == "waiting"]


def test_whoever_finds_the_queue_full_is_told_at_once(narrow):
    clients = [WireClient(narrow.endpoint).log_in() for _ in range(4)]
    holder, *queued, late = clients
    holder.query("BEGIN; SELECT 1")
    for number, client in enumerate(queued, 1):
        client.send(wire.query("SELECT 'in the end'"))
        wait_for(lambda: len(waiting(narrow)) == number, "the client to wait")
    assert errors(late.query("SELECT 1")) == ["53300"]
    assert state(late.query("SELECT 1")) == "I"
    holder.query("COMMIT")
    assert [values(client.until("Z")) for client in queued] == [[["in the end"]]] * 2
    assert late.value("SELECT 1") == "1"
    for client in clients:
        client.terminate()


LIMITS = {"query_wait_timeout_ms": 300, "idle_in_transaction_timeout_ms": 1500, "client_idle_timeout_ms": 3000,
          "client_stall_timeout_ms": 1000}


@pytest.fixture(scope="module")
def hasty():
    with Served(replicas=0, pool_size=1, **LIMITS) as made:
        yield made


def test_whoever_waits_too_long_is_told_and_may_ask_again(hasty):
    with WireClient(hasty.endpoint).log_in() as waiter, WireClient(hasty.endpoint).log_in() as holder:
        holder.query("BEGIN; SELECT 1")
        assert errors(waiter.query("SELECT 1")) == ["53300"]
        holder.query("COMMIT")
        assert waiter.value("SELECT 1") == "1"


def test_a_transaction_left_alone_is_ended(hasty):
    with WireClient(hasty.endpoint).log_in() as client, WireClient(hasty.endpoint).log_in() as other:
        client.query("BEGIN; SELECT pg_advisory_xact_lock(1)")
        assert errors(client.until_closed()) == ["25P03"]
        assert other.value("SELECT pg_try_advisory_lock(1)") == "t"


def test_a_client_that_says_nothing_is_ended(hasty):
    with WireClient(hasty.endpoint).log_in() as client:
        assert errors(client.until_closed()) == ["57P05"]


def test_a_client_that_does_not_read_is_ended(hasty):
    with WireClient(hasty.endpoint).log_in() as client, WireClient(hasty.endpoint).log_in() as other:
        client.send(wire.query("SELECT repeat('x', 1000000) FROM generate_series(1, 200)"))
        wait_for(lambda: hasty.busy_backends(), "the answer to begin")
        wait_for(lambda: not hasty.busy_backends(), "the backend to be free again")
        assert other.value("SELECT 1") == "1"
        assert set(errors(client.until_closed())) <= {"57P05"}


def test_a_message_that_does_not_end_is_not_waited_for(hasty):
    with WireClient(hasty.endpoint).log_in() as client:
        client.send(wire.query("SELECT 1")[:8])
        assert errors(client.until_closed()) == ["57P05"]


# --- reads


@pytest.fixture(scope="module")
def with_replica():
    with Served(replicas=1) as made:
        yield made


def reads(served):
    return served.endpoint.at(port=served.endpoint_port + 1)


def test_the_reads_port_leads_to_the_replica(with_replica):
    place = reads(with_replica)
    wait_for(lambda: refusal(place) == {}, "the replica to take reads")
    assert place.value("SELECT pg_is_in_recovery()") is True
    with WireClient(place).log_in() as client:
        assert client.parameters["in_hot_standby"] == "on"
        assert errors(client.query("CREATE TABLE never (a int)")) == ["25006"]
        with_replica.endpoint.sql("CREATE TABLE shown AS SELECT 1 AS a")
        wait_for(lambda: not errors(client.query("SELECT * FROM shown")), "the row to be replayed")
    assert in_threads(*[lambda: place.value("SELECT pg_is_in_recovery()")] * 8) == [True] * 8
    assert with_replica.endpoint.value("SELECT pg_is_in_recovery() /* pgtandem: primary */") is False


def signal_replica(served, number):
    """All of its processes, as if its machine stood still, or went on."""
    for pid in served.tandem.processes():
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            if os.readlink(f"/proc/{pid}/cwd") == str(served.tandem.data("node2")):
                os.kill(pid, number)


def is_usable(served, node):
    return {row["node"]: row["usable"] for row in served.console("SHOW NODES")}[node]


def test_without_its_replica_the_reads_port_says_so(with_replica):
    place = reads(with_replica)
    with WireClient(place).log_in() as client:
        assert client.value("SELECT pg_is_in_recovery()") == "t"
        signal_replica(with_replica, signal.SIGSTOP)
        try:
            wait_for(lambda: is_usable(with_replica, "node2") == "no", "the replica to be missed")
            answer = refusal(place)
            assert answer["C"] == "57P03" and "no replica" in answer["M"], answer
            assert errors(client.query("SELECT 1")) == ["57P03"]
            assert with_replica.endpoint.value("SELECT 1") == 1
        finally:
            signal_replica(with_replica, signal.SIGCONT)
        wait_for(lambda: is_usable(with_replica, "node2") == "yes", "the replica to be back")
        assert refusal(place) == {}
        assert client.value("SELECT pg_is_in_recovery()") == "t"
