"""A server that cannot start, or that ends again and again."""
import os
import signal
import time
from pathlib import Path

from tandem import wait_for


def starts(tandem, node="node1"):
    return [line for line in (tandem.folder / "log/pgtandem.log").read_text().splitlines() if f"{node}: start (" in line]


def test_a_server_that_cannot_start_is_tried_ever_more_rarely(tandem):
    tandem.up("--replicas", "0")
    settings = tandem.data("node1") / "postgresql.auto.conf"
    whole = settings.read_text()
    settings.write_text(whole + "work_mem = nonsense\n")
    before = len(starts(tandem))
    os.kill(tandem.postmaster("node1"), signal.SIGKILL)
    wait_for(lambda: len(starts(tandem)) >= before + 4, "the first starts")
    wait_for(lambda: "from one start to the next" in tandem.node("node1")["problem"], "status to tell of the pause")
    began, count = time.monotonic(), len(starts(tandem))
    time.sleep(6)
    assert len(starts(tandem)) - count <= 4, (began, starts(tandem))
    settings.write_text(whole)
    wait_for(lambda: tandem.node("node1")["state"] == "running" and not tandem.node("node1")["problem"], "the server to be well again")
    assert tandem.value("SELECT 1") == 1


def test_a_crash_after_a_long_life_costs_no_pause(tandem):
    tandem.up("--replicas", "0")
    time.sleep(5.5)
    for _ in range(2):
        before = tandem.postmaster("node1")
        os.kill(before, signal.SIGKILL)
        wait_for(lambda before=before: tandem.is_started_again("node1", before), "the server to be started again")
    assert not [line for line in (tandem.folder / "log/pgtandem.log").read_text().splitlines() if "wait to start" in line]


def test_of_a_servers_log_only_the_end_is_read_before_it_starts_again(tandem):
    tandem.up("--replicas", "0")
    log = next((tandem.folder / "nodes/node1/log").glob("postgresql-*.log"))
    with open(log, "r+b") as file:
        file.truncate(2 << 30)  # takes no room
    up = Path(f"/proc/{tandem.up_process()}/status")

    def most_memory():
        return next(int(line.split()[1]) for line in up.read_text().splitlines() if line.startswith("VmHWM"))
    before = most_memory()
    postmaster = tandem.postmaster("node1")
    os.kill(postmaster, signal.SIGKILL)
    wait_for(lambda: tandem.is_started_again("node1", postmaster), "the server to be started again")
    wait_for(lambda: tandem.node("node1")["state"] == "running", "the server to run")
    assert most_memory() - before < 100 << 10
