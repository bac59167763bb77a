"""kill -9 at every step of the way: the next `up` goes on, ends proven, and loses nothing."""
import os
import signal
import subprocess
import time

import pytest
from bring_up import STEPS, begin_and_wait
from tandem import environment, wait_for


def goes_on(tandem):
    tandem.up()
    tandem.assert_proven(1)
    guards = [pid for name in ("node1", "node2") for pid in (tandem.guard(name), tandem.postmaster(name))]
    assert all(os.path.exists(f"/proc/{pid}") for pid in guards)
    tandem.ok("down")
    assert tandem.processes() == [], "nothing may be left running"


@pytest.mark.parametrize("step", STEPS)
def test_up_is_killed(tandem, step):
    process = begin_and_wait(tandem, STEPS[step])
    process.kill()
    process.wait()
    goes_on(tandem)


@pytest.mark.parametrize("step", STEPS)
def test_up_is_stopped_by_control_c(tandem, step):
    process = begin_and_wait(tandem, STEPS[step])
    process.send_signal(signal.SIGINT)
    assert process.wait(60) in (0, 1)
    assert tandem.processes() == [], "nothing may be left running"
    goes_on(tandem)


@pytest.mark.parametrize("step", STEPS)
def test_everything_is_killed_at_once(tandem, step):
    process = begin_and_wait(tandem, STEPS[step])
    process.kill()
    tandem.kill_all()
    process.wait()
    goes_on(tandem)


@pytest.mark.long
@pytest.mark.parametrize("milliseconds", range(0, 1500, 50))
def test_everything_is_killed_at_any_moment(tandem, milliseconds):
    process = tandem.start_foreground()
    time.sleep(milliseconds / 1000)
    process.kill()
    tandem.kill_all()
    process.wait()
    goes_on(tandem)


@pytest.mark.parametrize("victims", ["up", "guard", "postmaster", "both", "all"])
@pytest.mark.parametrize("node", ["node1", "node2"])
def test_a_running_cluster_loses_a_process(pair, node, victims):
    pair.sql("CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    up, guard, postmaster = pair.up_process(), pair.guard(node), pair.postmaster(node)
    if victims == "all":
        pair.kill_all()
    else:
        chosen = {"up": [up], "guard": [guard], "postmaster": [postmaster], "both": [up, guard]}[victims]
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
    if victims in ("up", "both", "all"):
        pair.up()
    else:
        wait_for(lambda: pair.is_started_again(node, postmaster), f"{node} to be started again")
        wait_for(lambda: pair.failed_checks() == {}, "all to be well")
    pair.assert_proven(1)
    assert pair.value("SELECT count(*) FROM kept") == 100
    assert pair.value("SELECT count(*) FROM kept", "node2") == 100
    if victims == "up":
        assert (pair.guard(node), pair.postmaster(node)) == (guard, postmaster), "a restart of up restarts no server"


def test_up_goes_on_at_once_where_another_was_killed(pair):
    """A process with many clients takes a moment to end, in which it still has its lock: nobody may take it for alive."""
    for _ in range(10):
        clients = [pair.connect(port=pair.port + 8) for _ in range(20)]
        before = pair.up_process()
        os.kill(before, signal.SIGKILL)
        pair.up()
        assert pair.up_process() != before
        assert pair.status()["state"] == "up"
        for client in clients:
            client.close()


def test_a_server_that_is_stopped_by_a_signal_still_goes_down(pair):
    os.kill(pair.postmaster("node2"), signal.SIGSTOP)
    pair.ok("down")
    assert pair.processes() == []


def test_a_backend_that_outlives_its_postmaster_is_ended(pair):
    with pair.connect() as session:
        backend = session.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        before = pair.postmaster("node1")
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: pair.is_started_again("node1", before), "the primary to be started again")
        wait_for(lambda: pair.failed_checks() == {}, "all to be well")
        assert backend not in pair.processes()


def test_a_stale_pidfile_that_names_a_living_process_does_not_stop_a_start(pair):
    pair.ok("down")
    for name in ("node1", "node2"):
        pidfile = pair.data(name) / "postmaster.pid"
        pidfile.write_text(f"{os.getppid()}\n{pair.data(name)}\n1\n{pair.node_port(name)}\n\n127.0.0.1\n1 1\nready\n")
    pair.up()
    pair.assert_proven(1)


def test_killed_during_reinit_leaves_the_old_data_or_the_new(pair):
    for step in ("data.clone", "data.clone/base", "data.clone/backup_manifest", "data.ready", "data.old"):
        generation = pair.store()["cluster"]["nodes"]["node2"]["generation"]
        command = subprocess.Popen(pair.words("replica", "reinit", "node2"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=environment(), **pair.as_user)
        place = pair.folder / "nodes/node2" / step
        deadline = time.monotonic() + 30
        while not place.exists() and time.monotonic() < deadline and command.poll() is None:
            time.sleep(0.0005)
        pair.kill_all()
        command.wait()
        pair.up()
        pair.assert_proven(1)
        assert pair.store()["cluster"]["nodes"]["node2"]["generation"] == generation + 1
        assert int((pair.data("node2") / "pgtandem.generation").read_text()) == generation + 1


def test_killed_during_removal_is_finished_by_the_next_up(tandem):
    tandem.up("--replicas", "2")
    for process in [tandem.up_process()]:
        os.kill(process, signal.SIGSTOP)
    command = subprocess.Popen(tandem.words("replica", "remove", "node3"), env=environment(), **tandem.as_user)
    wait_for(lambda: tandem.store()["cluster"]["nodes"]["node3"]["removed"], "the wish to be written")
    tandem.kill_all()
    command.wait()
    tandem.up()
    wait_for(lambda: "node3" not in tandem.store()["cluster"]["nodes"], "the removal")
    tandem.assert_proven(1)
    assert tandem.sql("SELECT slot_name FROM pg_replication_slots") == [("pgtandem_node2",)]
    assert not (tandem.folder / "nodes/node3").exists()


def test_acknowledged_commits_survive_the_loss_of_power(pair):
    """Writes go on while everything is killed, several times; every row that was acknowledged is there afterwards."""
    pair.sql("CREATE TABLE kept (n int PRIMARY KEY)")
    acknowledged = []
    for _ in range(3):
        deadline = time.monotonic() + 1
        with pair.connect() as session:
            while time.monotonic() < deadline:
                number = len(acknowledged)
                session.execute("INSERT INTO kept VALUES (%s) ON CONFLICT DO NOTHING", (number,))
                acknowledged.append(number)
        pair.kill_all()
        pair.up()
    there = {number for number, in pair.sql("SELECT n FROM kept")}
    assert set(acknowledged) <= there
    wait_for(lambda: pair.value("SELECT count(*) FROM kept", "node2") == len(there), "the replica to have them")
    pair.assert_proven(1)


def segments():
    """System V shared memory of this machine: (key, id)."""
    rows = [line.split() for line in open("/proc/sysvipc/shm").readlines()[1:]]
    return {(int(row[0]), int(row[1])) for row in rows}


def test_a_reset_after_a_kill_leaves_no_shared_memory(pair):
    # Before those who would start it again, with another segment, and while they do nothing.
    for pid in (pair.up_process(), pair.guard("node1")):
        os.kill(pid, signal.SIGSTOP)
    os.kill(pair.postmaster("node1"), signal.SIGKILL)
    pair.kill_all()
    key, number = map(int, (pair.data("node1") / "postmaster.pid").read_text().splitlines()[6].split())
    segment = (key - (1 << 32) if key >= 1 << 31 else key, number)
    assert segment in segments()
    pair.ok("reset", "--yes")
    assert segment not in segments()
