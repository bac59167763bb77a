"""Holds a server to a share of one processor: a cgroup of its own, of version 1 or 2. Needs root."""
import os
from pathlib import Path

from proxies import process_tree

ROOT = Path("/sys/fs/cgroup")
PERIOD = 50_000  # us


class CpuShare:
    """Of one server, with all processes that it has now and those that they start; as long as it is open."""

    def __init__(self, postmaster, percent):
        self.postmaster = postmaster
        self.quota = PERIOD * percent // 100
        is_first_version = (ROOT / "cpu/cgroup.procs").exists()
        self.parent = ROOT / "cpu" if is_first_version else ROOT
        self.folder = self.parent / f"pgtandem_bench_{postmaster}"
        self.limits = {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": self.quota} if is_first_version else {"cpu.max": f"{self.quota} {PERIOD}"}

    def __enter__(self):
        if not os.access(self.parent / "cgroup.procs", os.W_OK):
            raise SystemExit(f"bench: making a cgroup in {self.parent}: it may not be written\ntry: as root")
        if "cpu.max" in self.limits:
            (self.parent / "cgroup.subtree_control").write_text("+cpu")
        self.folder.mkdir()
        for name, value in self.limits.items():
            (self.folder / name).write_text(str(value))
        # Whoever was started while the others were moved is found by the next look.
        while strangers := process_tree(self.postmaster) - self.members(self.folder):
            for pid in strangers:
                self.move(pid, self.folder)
        return self

    def __exit__(self, *reason):
        while left := self.members(self.folder):
            for pid in left:
                self.move(pid, self.parent)
        self.folder.rmdir()

    @staticmethod
    def members(folder):
        return set(map(int, (folder / "cgroup.procs").read_text().split()))

    @staticmethod
    def move(pid, folder):
        try:
            (folder / "cgroup.procs").write_text(str(pid))
        except ProcessLookupError:
            pass  # it has ended
