"""The steps of a bring-up, as an observer sees them, and waiting for one."""
import time

# Every step of a bring-up, by what an observer sees in the cluster's folder when it has just begun.
STEPS = {
    "lock taken": lambda t: (t.folder / "up.lock").exists(),
    "credentials written": lambda t: (t.folder / "credentials.env").exists(),
    "archive script written": lambda t: (t.folder / "archive_wal.sh").exists(),
    "state written": lambda t: (t.folder / "store.json").exists(),
    "initdb begun": lambda t: (t.folder / "nodes/node1/data.clone").exists(),
    "initdb at work": lambda t: (t.folder / "nodes/node1/data.clone/global/pg_control").exists(),
    "our settings written": lambda t: (t.folder / "nodes/node1/data.clone/pgtandem.conf").exists(),
    "data in place": lambda t: (t.folder / "nodes/node1/data").exists(),
    "primary launched": lambda t: (t.folder / "nodes/node1/guard.lock").exists(),
    "primary starting": lambda t: (t.folder / "nodes/node1/data/postmaster.pid").exists(),
    "primary taking connections": lambda t: any((t.folder / "run").glob(".s.PGSQL.*")),
    "replica's folder": lambda t: (t.folder / "nodes/node2").exists(),
    "copy begun": lambda t: (t.folder / "nodes/node2/data.clone").exists(),
    "copy at work": lambda t: (t.folder / "nodes/node2/data.clone/base").exists(),
    "copy has its manifest": lambda t: (t.folder / "nodes/node2/data.clone/backup_manifest").exists(),
    "copy configured": lambda t: (t.folder / "nodes/node2/data.clone/standby.signal").exists(),
    "copy in place": lambda t: (t.folder / "nodes/node2/data").exists(),
    "replica launched": lambda t: (t.folder / "nodes/node2/guard.lock").exists(),
    "replica starting": lambda t: (t.folder / "nodes/node2/data/postmaster.pid").exists(),
    "commits held": lambda t: "sync" in t.store(),
}


def begin_and_wait(tandem, reached):
    process = tandem.start_foreground()

    def seen():
        try:
            return reached(tandem)
        except (OSError, ValueError, KeyError):
            return False
    deadline = time.monotonic() + 60
    while not seen() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.0005)
    return process
