"""Copies of the primary: tablespaces, progress on a terminal, and what interrupts them."""
import os
import re
import signal
import time
from pathlib import Path

import pytest
from tandem import OnTerminal, wait_for


def make_tablespace(tandem, name):
    place = tandem.parent / name
    place.mkdir(mode=0o700)
    if tandem.as_user:
        os.chown(place, tandem.as_user["user"], tandem.as_user["group"])
    tandem.sql(f"CREATE TABLESPACE {name} LOCATION '{place}'")
    tandem.sql(f"CREATE TABLE in_{name} TABLESPACE {name} AS SELECT generate_series(1, 1000) AS n")
    return place


def link(tandem, node):
    (entry,) = (tandem.data(node) / "pg_tblspc").iterdir()
    return Path(os.readlink(entry))


def test_a_copy_has_tablespaces_of_its_own(tandem):
    tandem.up("--replicas", "0")
    place = make_tablespace(tandem, "fast")
    tandem.up("--replicas", "1")
    first = link(tandem, "node2")
    assert first.is_relative_to(tandem.folder / "nodes/node2") and link(tandem, "node1") == place
    tandem.ok("replica", "reinit", "node2")
    second = link(tandem, "node2")
    assert second != first and second.is_dir()
    wait_for(lambda: not first.exists(), "the tablespace of the old copy to be removed")
    tandem.sql("INSERT INTO in_fast VALUES (0)")
    wait_for(lambda: tandem.value("SELECT count(*) FROM in_fast", "node2") == 1001, "the replica to have all rows")
    tandem.assert_proven(1)
    tandem.ok("replica", "remove", "node2")
    assert not second.exists() and place.is_dir()


def test_a_tablespace_that_a_replica_shares_with_the_primary_is_found(pair):
    make_tablespace(pair, "shared")
    wait_for(lambda: "node2 has tablespaces of its own" in pair.failed_checks(), "verify to find it")
    pair.ok("replica", "reinit", "node2")
    pair.assert_proven(1)
    assert pair.value("SELECT count(*) FROM in_shared", "node2") == 1000


def clone_sender(tandem, replica):
    rows = tandem.sql(f"SELECT p.pid FROM pg_stat_progress_basebackup p JOIN pg_stat_activity a USING (pid) "
                      f"WHERE a.application_name = '{replica}_clone' AND p.phase LIKE 'streaming%'")
    return rows[0][0] if rows else None


def test_the_progress_of_a_copy_on_a_terminal(pair):
    pair.sql("CREATE TABLE big AS SELECT generate_series(1, 1000000) AS n, repeat('x', 100) AS text")
    with OnTerminal(pair, "replica", "add") as screen:
        sender = wait_for(lambda: clone_sender(pair, "node3"), "the copy to begin")
        # pg_basebackup says how far it is once a second, when something comes: the copy is held until the next one, and not
        # only at its end.
        for _ in range(5):
            os.kill(sender, signal.SIGSTOP)
            now = int(time.time())
            wait_for(lambda now=now: int(time.time()) > now, "the next second")
            os.kill(sender, signal.SIGCONT)
            if not clone_sender(pair, "node3"):
                break
        assert screen.status() == 0, screen.text()
    size, rate, left = r"[\d.]+ [kMG]?B", r"[\d.]+ [kMG]?B/s", r"[\d.]+ (ms|s|min)"
    assert re.search(rf"node3 +replica +\[#*\.*\] +\d+%  {size} of {size}, {rate}, {left} left", screen.text()), screen.text()
    drawn = [line for line in screen.text().replace("\033[A\033[2K", "").splitlines() if " left" in line]
    assert all(len(line) <= 80 for line in drawn), "a line that wraps could not be drawn over"
    assert "\033[A\033[2K" in screen.text(), "a line that is drawn again takes its old place"
    assert re.search(r"node3 +replica +copied and verified", screen.text())
    assert "added node3" in screen.text()


def test_control_c_while_a_replica_is_added_takes_it_back(pair):
    pair.sql("CREATE TABLE big AS SELECT generate_series(1, 1000000) AS n")
    with OnTerminal(pair, "replica", "add") as screen:
        wait_for(lambda: (pair.folder / "nodes/node3/data.clone").exists(), "the copy to begin")
        screen.type("\x03")
        assert screen.status() == 1, screen.text()
    wait_for(lambda: "node3" not in pair.store()["cluster"]["nodes"], "the half replica to be gone")
    assert not (pair.folder / "nodes/node3").exists()
    pair.assert_proven(1)


@pytest.mark.parametrize("step", ["nodes/node1/data.clone", "nodes/node1/data", "nodes/node2/data.clone"])
def test_control_c_while_up_is_to_detach(tandem, step):
    with OnTerminal(tandem, "up", "--detach", *tandem.up_words()) as screen:
        wait_for(lambda: (tandem.folder / step).exists(), f"the step {step}")
        screen.type("\x03")
        assert screen.status() == 1, screen.text()
    assert "the next up goes on from here" in screen.text()
    assert tandem.processes() == []
    tandem.up()
    tandem.assert_proven(1)


def test_a_terminal_that_is_closed_stops_the_foreground(tandem):
    with OnTerminal(tandem, "up", *tandem.up_words()) as screen:
        wait_for(lambda: "Ctrl-C stops it" in screen.text(), "the cluster to be up")
        screen.hang_up()
        screen.status()
    assert tandem.processes() == []
    assert "database system is shut down" in "".join(log.read_text() for log in tandem.folder.glob("nodes/node1/log/*"))


def test_status_on_a_terminal_is_drawn_in_place(pair):
    with OnTerminal(pair, "status", "--watch") as screen:
        wait_for(lambda: screen.text().count("\033[H\033[2J") >= 2, "the second look")
        screen.type("\x03")
        assert screen.status() == 0
    assert "streaming" in screen.text()
