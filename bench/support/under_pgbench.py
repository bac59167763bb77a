"""What a proxy uses and how fast it is while pgbench runs through it.

pgbench logs each transaction and runs until its logs tell of the whole window between two readings of the proxy's CPU:
logins are not counted, however long they take.
"""
import subprocess
import tempfile
import time
from pathlib import Path

from proxies import environment, server_user

WARM_UP_SECONDS = 1
PATIENCE = 60  # seconds for the logins, and for pgbench's logs
THREADS = 2


class Refused(Exception):
    """pgbench could not do this through this proxy; the text is its error."""


def last_moment(file):
    """When the last transaction ended that a log of pgbench tells of whole; pgbench writes its logs a block at a time."""
    lines = file.read_text().splitlines()[-2:-1]
    return int(lines[0].split()[4]) if lines else 0


def wait_until(condition, process):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Refused(f"no transaction in {PATIENCE} s")
        time.sleep(0.05)


def latencies(folder, begin, end, script=None):
    """Sorted microseconds of the transactions, or of one script's, that ended between two moments, from pgbench's logs."""
    found = []
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines()[:-1]:
            words = line.split()
            if words[2].isdigit() and script in (None, words[3]) and begin <= int(words[4]) + int(words[5]) / 1e6 < end:
                found.append(int(words[2]))
    return sorted(found)


def watch(folder, process, proxy, seconds):
    """Lets pgbench run until all it did between two moments is in its logs: (begin, end, CPU of the proxy between them)."""
    wait_until(lambda: any(map(last_moment, folder.glob("log.*"))), process)
    time.sleep(WARM_UP_SECONDS)
    begin, cpu = time.time(), proxy.cpu_microseconds()
    time.sleep(seconds)
    cpu, end = proxy.cpu_microseconds() - cpu, time.time()
    wait_until(lambda: all(last_moment(file) > end for file in folder.glob("log.*")), process)
    return begin, end, cpu


def measure(proxy, words, clients, seconds):
    """(CPU us per transaction, transactions per second, p50 ms, p99 ms) of one run."""
    return run(proxy, words, clients, seconds)[:4]


def measure_reads(proxy, scripts, clients, seconds):
    """(CPU us per transaction, transactions per second, p50 ms of the reads) of nine of the first script to one of the second."""
    words = [word for script, share in zip(scripts, (9, 1)) for word in ("-f", f"{script}@{share}")]
    cpu, rate, _, _, reads = run(proxy, words, clients, seconds)
    return cpu, rate, reads[len(reads) // 2] / 1e3


def run(proxy, words, clients, seconds):
    """What measure() tells, and the microseconds of the first script's transactions."""
    with tempfile.TemporaryDirectory(prefix="bench_endpoint_") as name:
        folder = Path(name)
        folder.chmod(0o777)
        words = ["pgbench", "-n", *words, "-c", clients, "-j", THREADS, "-T", int(3 * PATIENCE + seconds), "-l",
                 "--log-prefix", folder / "log"]
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   cwd="/", env=environment(**proxy.place.variables()), **server_user())
        gave_up = None
        try:
            begin, end, cpu = watch(folder, process, proxy, seconds)
        except Refused as why:
            gave_up = why
        finally:
            process.kill()
            said = process.communicate()[1]
        # The others go on without a client that has failed.
        if faults := [line for line in said.splitlines() if "aborted in command" in line or "error:" in line]:
            raise Refused(f"{len(faults)} faults, the first: {faults[0]}")
        if gave_up:
            raise gave_up
        took, of_first = latencies(folder, begin, end), latencies(folder, begin, end, "0")
        if not took:
            raise Refused(f"no transaction in {seconds:g} s")
        return (cpu / len(took), len(took) / (end - begin), took[len(took) // 2] / 1e3, took[len(took) * 99 // 100] / 1e3, of_first)
