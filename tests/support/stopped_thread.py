"""Makes one thread of another process stand still, as a fault in it would: by ptrace(2), from a process of its own."""
import subprocess
import sys
import time
from pathlib import Path

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000


def thread_named(pid, name):
    """The id of the thread of that name; a thread that has just begun may not have it yet."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for task in Path(f"/proc/{pid}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                return int(task.name)
        time.sleep(0.01)
    raise AssertionError(f"process {pid} has no thread {name}")


class StoppedThread:
    """The thread stands still as long as this is open."""

    def __init__(self, thread):
        self.helper = subprocess.Popen([sys.executable, __file__, str(thread)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.helper.stdout.readline() == "stopped\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.go_on()

    def go_on(self):
        if self.helper.poll() is None:
            self.helper.communicate("go on\n", timeout=20)


def main(thread):
    import ctypes
    import os
    import select

    libc = ctypes.CDLL(None, use_errno=True)
    for request in (SEIZE, INTERRUPT):
        if libc.ptrace(request, thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(thread, WALL)
    print("stopped", flush=True)
    # Its end has to be taken note of here, or its process would not be gone.
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        if os.waitpid(thread, WALL | os.WNOHANG)[0] == thread and not Path(f"/proc/{thread}").exists():
            return
    libc.ptrace(DETACH, thread, None, None)
    time.sleep(0.01)


if __name__ == "__main__":
    main(int(sys.argv[1]))
