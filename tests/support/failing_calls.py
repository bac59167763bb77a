"""Makes calls of a running program to the kernel fail: failing_calls.c, compiled and preloaded into it."""
import errno
import mmap
import struct
import subprocess
from pathlib import Path

from tandem import server_user

LAYOUT = struct.Struct("64siii")


class FailingCalls:
    def __init__(self, folder):
        library, self.file = folder / "failing_calls.so", folder / "failing_calls"
        source = Path(__file__).with_name("failing_calls.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(library), str(source), "-ldl"], check=True)
        self.file.write_bytes(b"\0" * mmap.PAGESIZE)
        # The program may run as another user.
        library.chmod(0o755)
        self.file.chmod(0o666 if server_user() else 0o600)
        with open(self.file, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.variables = {"LD_PRELOAD": str(library), "FAILING_CALLS": str(self.file), "ASAN_OPTIONS": "detect_leaks=1:verify_asan_link_order=0"}

    def begin(self, call, error, times):
        LAYOUT.pack_into(self.memory, 0, call.encode(), getattr(errno, error), 0, 0)
        LAYOUT.pack_into(self.memory, 0, call.encode(), getattr(errno, error), times, 0)

    def end(self):
        """How many calls have failed."""
        call, error, _, hits = LAYOUT.unpack_from(self.memory, 0)
        LAYOUT.pack_into(self.memory, 0, call, error, 0, hits)
        return hits
