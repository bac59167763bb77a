"""A disk that is full: refused before, survived in the middle."""
import errno
import os
import subprocess
import time
from pathlib import Path

import psycopg
import pytest
from tandem import Tandem, wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


@pytest.fixture
def small_disk(tmp_path):
    """Gives a function that mounts a file system of so many megabytes and puts a cluster's folder on it."""
    mounted = []

    def make(megabytes):
        place = Path(f"/tmp/tandem_disk_{os.getpid()}_{len(mounted)}")
        place.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], check=True)
        mounted.append(place)
        return Tandem(parent=place)
    yield make
    for place in mounted:
        Tandem(parent=place).kill_all()
        # What was killed may take a moment to be gone.
        wait_for(lambda place=place: subprocess.run(["umount", str(place)], capture_output=True).returncode == 0, f"{place} to be free")
        place.rmdir()


def fill(tandem, leave_megabytes, name="filler"):
    """Takes all but so much of the disk. Others write to it at the same time: then it is measured anew."""
    with open(tandem.parent / name, "wb") as file:
        while True:
            free = os.statvfs(tandem.parent)
            try:
                return os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - (leave_megabytes << 20)))
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise


def test_too_little_room_is_refused_before_anything_is_made(small_disk):
    tandem = small_disk(60)
    assert "are free" in tandem.refused("up", *tandem.up_words())
    assert not (tandem.folder / "nodes").exists()


def test_the_room_a_replica_needs_counts_the_primarys_tablespaces(small_disk, tandem):
    crowded = small_disk(500)
    crowded.up("--replicas", "0")
    place = tandem.parent / "elsewhere"
    place.mkdir()
    os.chown(place, crowded.as_user["user"], crowded.as_user["group"])
    crowded.sql(f"CREATE TABLESPACE far LOCATION '{place}'")
    with open(place / "big", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 800 << 20)
    assert "are free, 9" in crowded.refused("replica", "add")  # 800 MB, its data, a tenth more
    assert list(crowded.store()["cluster"]["nodes"]) == ["node1"]


def test_a_disk_that_fills_during_a_clone(small_disk):
    tandem = small_disk(700)
    tandem.up("--replicas", "1")
    tandem.sql("CREATE TABLE big AS SELECT generate_series(1, 1500000) AS n")
    fill(tandem, 190)
    # The check is passed by what the primary holds now; it grows while it is copied.
    filler = tandem.parent / "filler2"
    command = subprocess.Popen(tandem.words("replica", "add"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               **tandem.as_user)
    clone = tandem.folder / "nodes/node3/data.clone"
    wait_for(lambda: clone.exists() or command.poll() is not None, "the copy to begin")
    fill(tandem, 3, filler.name)
    said, error = command.communicate(timeout=120)
    assert command.returncode == 1, said + error
    assert "No space left on device" in error or "are free" in error
    (tandem.parent / "filler").unlink()
    filler.unlink()
    wait_for(lambda: "node3" not in tandem.store()["cluster"]["nodes"], "the half replica to be gone")
    assert not (tandem.folder / "nodes/node3").exists()
    wait_for(lambda: tandem.failed_checks() == {}, "all to be well")
    tandem.assert_proven(1)


def guards(tandem):
    """The processes that are guards of the cluster's servers, or begin as such."""
    found = set()
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[1:2] == [b"guard"] and words[2].startswith(bytes(tandem.folder)):
            found.add(int(line.parent.name))
    return found


def test_a_server_that_finds_no_room_is_not_started_all_the_time(small_disk):
    tandem = small_disk(300)
    tandem.up("--replicas", "0")
    fill(tandem, 24)
    # The server ends when there is no room for its WAL, and again when it recovers.
    with pytest.raises(psycopg.OperationalError), tandem.connect() as session:
        for _ in range(300):
            session.execute("SELECT pg_logical_emit_message(false, 'room', repeat('x', 1000000))")
    seen, ends = set(), time.monotonic() + 12
    while time.monotonic() < ends:
        seen |= guards(tandem)
    assert 1 < len(seen) <= 9
    (tandem.parent / "filler").unlink()
    wait_for(lambda: tandem.status()["nodes"][0]["state"] == "running", "the server to be back")


def test_a_disk_that_is_full_when_the_cluster_is_made(small_disk):
    tandem = small_disk(300)
    process = tandem.start_foreground()
    wait_for(lambda: (tandem.folder / "nodes/node1/data.clone").exists(), "initdb to begin")
    fill(tandem, 1)
    assert process.wait(120) == 1
    assert "No space left on device" in process.log.read_text()
    assert tandem.processes() == []
    (tandem.parent / "filler").unlink()
    tandem.up("--replicas", "1")
    tandem.assert_proven(1)
