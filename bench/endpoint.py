#!/usr/bin/env python3
"""What the endpoint costs beside PgBouncer (transaction mode), pgpool-II, HAProxy (TCP mode) and no proxy at all.

pgbench select-only (simple, extended, prepared) and tpcb-like, with 16 and 200 clients. Each round runs all of them one after the
other, so that what else the machine does meets all alike. Prints medians over the rounds: the proxy's own CPU microseconds per
transaction (user + system, all its threads and processes), its ratio to PgBouncer's (goal 0.75, then 0.5), throughput, p50 and p99.
Logins are not counted: CPU and transactions are those between two moments while pgbench runs.

SECONDS=4 ROUNDS=3 CLIENTS="16 200" WORKLOADS="simple extended prepared tpcb" PROXIES="..." SCALE=10 PGBOUNCER=pgbouncer
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from proxies import Stand, environment, server_user  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SCALE = os.environ.get("SCALE", "10")
CLIENTS = [int(word) for word in os.environ.get("CLIENTS", "16 200").split()]
PROXIES = os.environ.get("PROXIES", " ".join(Stand.names)).split()
WARM_UP_SECONDS = 1
PATIENCE = 60  # seconds for the logins, and for pgbench's logs
THREADS = 2
WORDS = {
    "simple": ["-S", "-M", "simple"],
    "extended": ["-S", "-M", "extended"],
    "prepared": ["-S", "-M", "prepared"],
    "tpcb": ["-b", "tpcb-like", "-M", "simple"],
}
WORKLOADS = os.environ.get("WORKLOADS", " ".join(WORDS)).split()


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
            process.kill()
            said = [line for line in process.communicate()[1].splitlines() if "error:" in line]
            raise Refused(said[0] if said else f"no transaction in {PATIENCE} s")
        time.sleep(0.05)


def latencies(folder, begin, end):
    """Sorted microseconds of the transactions that ended between two moments, from pgbench's logs."""
    found = []
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines()[:-1]:
            words = line.split()
            if words[2].isdigit() and begin <= int(words[4]) + int(words[5]) / 1e6 < end:
                found.append(int(words[2]))
    return sorted(found)


def watch(folder, process, proxy):
    """Lets pgbench run until all it did between two moments is in its logs: (begin, end, CPU of the proxy between them)."""
    wait_until(lambda: any(map(last_moment, folder.glob("log.*"))), process)
    time.sleep(WARM_UP_SECONDS)
    begin, cpu = time.time(), proxy.cpu_microseconds()
    time.sleep(SECONDS)
    cpu, end = proxy.cpu_microseconds() - cpu, time.time()
    wait_until(lambda: all(last_moment(file) > end for file in folder.glob("log.*")), process)
    return begin, end, cpu


def measure(proxy, workload, clients):
    """(CPU us per transaction, transactions per second, p50 ms, p99 ms) of one run."""
    with tempfile.TemporaryDirectory(prefix="bench_endpoint_") as name:
        folder = Path(name)
        folder.chmod(0o777)
        words = ["pgbench", "-n", *WORDS[workload], "-c", clients, "-j", THREADS, "-T", int(3 * PATIENCE + SECONDS), "-l",
                 "--log-prefix", folder / "log"]
        process = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   cwd="/", env=environment(**proxy.place.variables()), **server_user())
        try:
            begin, end, cpu = watch(folder, process, proxy)
        finally:
            process.kill()
            process.wait()
        took = latencies(folder, begin, end)
        if not took:
            raise Refused(f"no transaction in {SECONDS:g} s")
        return (cpu / len(took), len(took) / (end - begin), took[len(took) // 2] / 1e3, took[len(took) * 99 // 100] / 1e3)


def medians(runs):
    return [statistics.median(column) for column in zip(*runs)]


def print_table(workload, clients, proxies, runs, refused):
    print(f"\n{workload}, {clients} clients, median of {ROUNDS} rounds of {SECONDS:g} s")
    print(f"    {'':<16}{'CPU us/tx':>10}{'/PgBouncer':>11}{'tx/s':>9}{'p50 ms':>9}{'p99 ms':>9}")
    base = medians(runs["pgbouncer"])[0] if runs["pgbouncer"] else None
    for proxy in proxies:
        if proxy.name in refused:
            print(f"    {proxy.name:<16}{refused[proxy.name][:100]}")
            continue
        cpu, rate, half, most = medians(runs[proxy.name])
        ratio = f"{cpu / base:.2f}" if base and proxy.pid else "-"
        print(f"    {proxy.name:<16}{cpu:>10.1f}{ratio:>11}{rate:>9.0f}{half:>9.2f}{most:>9.2f}")
    sys.stdout.flush()


def main():
    with Stand(PROXIES, max(CLIENTS)) as stand:
        done = stand.server.run("pgbench", "-i", "-q", "-s", SCALE)
        assert done.returncode == 0, done.stderr
        for proxy in stand.proxies:
            print(f"{proxy.name:<16}{proxy.version()}")
        for workload in WORKLOADS:
            for clients in CLIENTS:
                runs, refused = defaultdict(list), {}
                for _ in range(ROUNDS):
                    for proxy in stand.proxies:
                        if proxy.name in refused:
                            continue
                        try:
                            runs[proxy.name].append(measure(proxy, workload, clients))
                        except Refused as why:
                            refused[proxy.name] = str(why)
                print_table(workload, clients, stand.proxies, runs, refused)


main()
