"""Replicas that fall behind, hang or die, while a test goes on; each fault is over when its block is left."""
import contextlib
import os
import signal

from tandem import wait_for


def wait_for_replicas(served, *nodes):
    """All replicas, or these, have what the primary has now."""
    position = served.tandem.value("SELECT pg_current_wal_insert_lsn()")
    for node in nodes or [f"node{number}" for number in range(2, served.replicas + 2)]:
        wait_for(lambda node=node: served.tandem.value(f"SELECT pg_last_wal_replay_lsn() >= '{position}'", node), f"{node} to follow")


class Paused:
    """Replay does not go on on these nodes while it is open."""

    def __init__(self, served, *nodes):
        self.served, self.nodes = served, nodes

    def __enter__(self):
        for node in self.nodes:
            self.call(node, "pause")

    def __exit__(self, *_):
        for node in self.nodes:
            self.call(node, "resume")

    def call(self, node, word):
        self.served.tandem.sql(f"SELECT pg_wal_replay_{word}()", node)


class Delayed:
    """A node shows each commit only so many milliseconds after it was made."""

    def __init__(self, served, node, milliseconds):
        self.served, self.node, self.milliseconds = served, node, milliseconds

    def __enter__(self):
        self.set(f"SET recovery_min_apply_delay = '{self.milliseconds}ms'")

    def __exit__(self, *_):
        self.set("RESET recovery_min_apply_delay")

    def set(self, change):
        with self.served.tandem.connect(self.node) as session:
            session.execute(f"ALTER SYSTEM {change}")
            session.execute("SELECT pg_reload_conf()")


def children(served, node):
    pid = served.tandem.postmaster(node)
    lines = os.popen(f"ps -o pid=,args= --ppid {pid}").read().splitlines()
    return {int(pid): args for pid, args in (line.split(maxsplit=1) for line in lines)}


def startup_process(served, node):
    """The one that replays."""
    return next(pid for pid, args in children(served, node).items() if "startup" in args)


def halt(served, node, how):
    """The server and all its backends."""
    for process in [served.tandem.postmaster(node), *children(served, node)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, how)


def go_on(served, node):
    for process in [served.tandem.postmaster(node), *children(served, node)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)
    wait_for(lambda: served.tandem.node(node)["state"] == "streaming", f"{node} to stream")
