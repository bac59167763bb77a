"""Connections that say nothing, before any login: they cost others no place, and the cluster nothing at all."""
import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from many_descriptors import many_descriptors
import pytest
import wire_messages as wire
from endpoint import Place, Served
from proxy import Proxy
from tandem import environment, wait_for
from wire_client import WireClient


@pytest.fixture(scope="module", autouse=True)
def descriptors_for_the_attacker():
    with many_descriptors():
        yield


class Silent:
    """Connections that say nothing, kept up to a number: where one is closed there is a new one."""

    def __init__(self, place, count, source="127.0.0.1"):
        self.place, self.count, self.source = place, count, source
        self.sockets = []

    def __enter__(self):
        for _ in range(self.count):
            self.add()
        return self

    def add(self):
        connected = socket.socket()
        connected.settimeout(20)
        connected.bind((self.source, 0))
        with contextlib.suppress(OSError):
            connected.connect((self.place.host, self.place.port))
            connected.setblocking(False)
        self.sockets.append(connected)

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()

    def are_closed(self):
        """How many of them the endpoint has ended."""
        count = 0
        for each in self.sockets:
            try:
                while said := each.recv(4096):
                    assert b"53300" in said
                count += 1
            except BlockingIOError:
                pass
            except OSError:
                count += 1
        return count


def postmasters(tandem, *names):
    return {name: tandem.postmaster(name) for name in names}


def up_with_files(tandem, open_files, *words):
    done = subprocess.run(["prlimit", f"--nofile={open_files}:{open_files}", *tandem.words("up", "--detach", *tandem.up_words(*words))],
                          capture_output=True, text=True, timeout=90, cwd="/", env=environment(), **tandem.as_user)
    assert done.returncode == 0, done.stdout + done.stderr
    known = tandem.credentials()
    return Place("127.0.0.1", tandem.port + 8, known["POSTGRES_USER"], known["POSTGRES_PASSWORD"], known["POSTGRES_DB"])


@pytest.mark.parametrize("open_files", [256, 440])
def test_more_connections_than_files_leave_cluster_and_clients_alone(tandem, open_files):
    place = up_with_files(tandem, open_files, "--replicas", "1")
    before, up = postmasters(tandem, "node1", "node2"), tandem.up_process()
    with place.connect() as session, Silent(place, 2 * open_files) as silent:
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert silent.are_closed() > open_files
        for _ in range(10):
            assert place.value("SELECT 1") == 1
        assert place.at(dbname="pgtandem").sql("SHOW VERSION", prepare_threshold=None)
        time.sleep(2)  # an agent looks once a second
        assert postmasters(tandem, "node1", "node2") == before and tandem.up_process() == up
        # The agents do their work meanwhile.
        os.kill(before["node2"], signal.SIGKILL)
        wait_for(lambda: tandem.is_started_again("node2", before["node2"]), "the replica to be started again")
        wait_for(lambda: tandem.node("node2")["state"] == "streaming", "the replica to stream")
        assert tandem.postmaster("node1") == before["node1"]
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert Path(f"/proc/{up}").exists()
        tandem.ok("down")
    assert {node["state"] for node in tandem.status()["nodes"]} == {"stopped"}


@pytest.mark.parametrize("listen", ["127.0.0.1", "::"])
def test_those_who_have_not_logged_in_cost_others_no_place(listen):
    """At "::" too, where IPv4 addresses are mapped into IPv6: they are not one client's network."""
    with Served() as served, Proxy(served, open_files=600, threads=1, listen=[listen]) as proxy:
        with WireClient(proxy.place) as slow, Silent(proxy.place, 500, source="127.0.0.2") as silent:
            clients = [WireClient(proxy.place).log_in() for _ in range(40)]
            assert silent.are_closed() > 100
            # One that takes its time is not driven out by others' connections.
            slow.log_in()
            assert slow.value("SELECT 1") == "1"
            assert [client.value("SELECT 1") for client in clients] == ["1"] * 40
            for client in clients:
                client.close()
        assert "open files" in proxy.log.read_text()


def test_who_says_its_startup_message_byte_by_byte_has_no_more_time_than_others():
    with Served() as served, Proxy(served, login_timeout_ms=1000) as proxy:
        started = time.monotonic()
        message = wire.startup({"user": proxy.place.user, "database": proxy.place.dbname, "application_name": "x" * 500})
        with socket.create_connection((proxy.place.host, proxy.place.port)) as trickle:
            with pytest.raises(OSError):
                for byte in message:
                    trickle.sendall(bytes([byte]))
                    time.sleep(0.05)
        assert 0.5 < time.monotonic() - started < 10


def test_silent_connections_and_handshakes_cost_little_memory(tmp_path):
    with Served() as served, Proxy(served, threads=1) as proxy:
        def resident():
            return int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        assert proxy.place.value("SELECT 1") == 1
        before = resident()
        count = 4000
        with Silent(proxy.place, count):
            wait_for(lambda: len(os.listdir(f"/proc/{proxy.process.pid}/fd")) > count, "the connections to be accepted")
            each = (resident() - before) / count
        assert each < 12_000, each


# --- what cannot be seen is not absent


def start_anew(tandem):
    """As after a crash of `up`, which its servers outlive."""
    os.kill(tandem.up_process(), signal.SIGKILL)
    wait_for(lambda: not Path(f"/proc/{tandem.up_process()}/exe").exists() or tandem.status()["state"] == "unattended", "up to be gone")


def test_a_guards_lock_that_was_moved_away_ends_no_server(tandem):
    tandem.up("--replicas", "1")
    before = postmasters(tandem, "node1", "node2")
    start_anew(tandem)
    lock = tandem.folder / "nodes/node1/guard.lock"
    lock.rename(lock.with_name("elsewhere"))
    tandem.up()
    assert postmasters(tandem, "node1", "node2") == before
    tandem.ok("down")
    assert {node["state"] for node in tandem.status()["nodes"]} == {"stopped"}
    tandem.up()
    tandem.assert_proven(1)


def test_a_guards_lock_that_cannot_be_read_ends_no_server(tandem):
    tandem.up("--replicas", "1")
    before = postmasters(tandem, "node1", "node2")
    start_anew(tandem)
    lock = tandem.folder / "nodes/node1/guard.lock"
    lock.chmod(0)
    error = tandem.refused("up", "--detach", *tandem.up_words(), patience=90)
    assert "guard.lock" in error and "Permission denied" in error
    assert "guard.lock" in tandem.refused("down")
    assert tandem.postmaster("node1") == before["node1"]
    assert os.kill(before["node1"], 0) is None
    lock.chmod(0o600)
    tandem.up()
    assert tandem.postmaster("node1") == before["node1"]
    tandem.assert_proven(1)
