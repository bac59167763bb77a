"""A worker of the endpoint that stands still, whatever the fault: nothing else depends on its good will."""
import os
import signal
import time
from pathlib import Path

import pytest
from endpoint import Served
from proxy import Proxy
from stopped_thread import StoppedThread, thread_named
from tandem import wait_for
from wire_client import WireClient

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may stop a thread of another user's process")


@pytest.fixture(scope="module")
def served():
    with Served() as made:
        yield made


def log_of(tandem):
    return (tandem.folder / "log/pgtandem.log").read_text()


def test_it_is_said_in_the_log_and_that_it_goes_on(served):
    with Proxy(served, threads=1) as proxy:
        worker = thread_named(proxy.process.pid, "worker 0")
        with StoppedThread(worker):
            said = wait_for(lambda: [line for line in proxy.log.read_text().splitlines() if "has stood still" in line], "the log to say it")
            assert f"thread {worker}" in said[0]
        wait_for(lambda: "worker 0 goes on" in proxy.log.read_text(), "the log to say that it goes on")
        assert proxy.place.value("SELECT 1") == 1


@pytest.mark.parametrize("io", ["io_uring", "epoll"])
def test_sigterm_ends_the_process(served, io):
    with Proxy(served, threads=2, io=io) as proxy, StoppedThread(thread_named(proxy.process.pid, "worker 1")):
        proxy.process.terminate()
        assert proxy.process.wait(30) == 0


@pytest.mark.parametrize("io", ["io_uring", "epoll"])
def test_another_process_takes_over(served, io):
    with Proxy(served, threads=1, io=io) as proxy, WireClient(proxy.place).log_in():
        former = proxy.process
        with StoppedThread(thread_named(former.pid, "worker 0")):
            proxy.start("--takeover")
            assert proxy.process.poll() is None, proxy.log.read_text()
            # The one that stands still takes none of the new clients away.
            for _ in range(50):
                assert proxy.place.value("SELECT 1") == 1
            former.terminate()
            assert former.wait(30) == 0


def test_the_console_answers_for_the_others(served):
    with Proxy(served, threads=2) as proxy, StoppedThread(thread_named(proxy.process.pid, "worker 1")):
        # Connections go to one of the two; those of the other wait for it.
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                rows = proxy.place.at(dbname="pgtandem").sql("SHOW CLIENTS", prepare_threshold=None, connect_timeout=3)
                break
            except Exception:  # noqa: BLE001
                continue
        assert rows


def test_down_stops_the_cluster_and_its_servers():
    with Served(replicas=1) as served:
        up = served.tandem.up_process()
        with StoppedThread(thread_named(up, "worker 0")):
            served.tandem.ok("down")
            assert {node["state"] for node in served.tandem.status()["nodes"]} == {"stopped"}
            wait_for(lambda: not Path(f"/proc/{up}").exists(), "the process to end")
        assert "database system is shut down" in "".join(
            log.read_text() for log in (served.tandem.folder / "nodes/node1/log").glob("*.log"))


def test_a_takeover_leaves_the_cluster_attended():
    with Served(replicas=1) as served:
        former = served.tandem.up_process()
        with StoppedThread(thread_named(former, "worker 0")):
            served.tandem.up(*served.settings_words(), "--takeover")
            assert served.tandem.up_process() != former
            assert served.endpoint.value("SELECT 1") == 1
            os.kill(int((served.tandem.folder / "nodes/node2/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            wait_for(lambda: served.tandem.node("node2")["state"] == "streaming", "the replica to be started again")
            os.kill(former, signal.SIGTERM)
            wait_for(lambda: not Path(f"/proc/{former}").exists(), "the former process to end")
