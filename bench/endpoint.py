#!/usr/bin/env python3
"""What the endpoint costs beside PgBouncer (transaction mode), pgpool-II, HAProxy (TCP mode) and no proxy at all.

pgbench select-only (simple, extended, prepared), tpcb-like, and nine of the former to one of the latter (mixed), with 16 and 200
clients. With TANDEM_REPLICAS=2 pgtandem shares the reads; pgtandem_off does not, and pgtandem_eventual does without floors;
pgbouncer_all deals its connections out to all servers by Unix sockets, which is no more than reads can take.

Each round runs all of them one after the other, so that what else the machine does meets all alike. Prints medians over the rounds:
the proxy's own CPU microseconds per transaction (user + system, all its threads and processes), its ratio to PgBouncer's (goal 0.75,
then 0.5), throughput, p50 and p99. Logins are not counted: CPU and transactions are those between two moments while pgbench runs.

PROXIES="pgtandem_now pgtandem_before" with BEFORE=another/pgtandem shows what a change costs.

SECONDS=4 ROUNDS=3 CLIENTS="16 200" WORKLOADS="simple extended prepared tpcb mixed mixed_extended mixed_prepared" PROXIES="..." SCALE=10 PGBOUNCER=pgbouncer
"""
import os
import statistics
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from proxies import Stand  # noqa: E402
from under_pgbench import Refused, measure  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
SCALE = os.environ.get("SCALE", "10")
CLIENTS = [int(word) for word in os.environ.get("CLIENTS", "16 200").split()]
PROXIES = os.environ.get("PROXIES", " ".join(Stand.names)).split()
WORDS = {
    "simple": ["-S", "-M", "simple"],
    "extended": ["-S", "-M", "extended"],
    "prepared": ["-S", "-M", "prepared"],
    "tpcb": ["-b", "tpcb-like", "-M", "simple"],
    **{name: ["-b", "select-only@9", "-b", "tpcb-like@1", "-M", protocol]
       for name, protocol in (("mixed", "simple"), ("mixed_extended", "extended"), ("mixed_prepared", "prepared"))},
}
WORKLOADS = os.environ.get("WORKLOADS", " ".join(WORDS)).split()


def medians(runs):
    return [statistics.median(column) for column in zip(*runs)]


def print_table(workload, clients, proxies, runs, refused):
    print(f"\n{workload}, {clients} clients, median of {ROUNDS} rounds of {SECONDS:g} s")
    print(f"    {'':<18}{'CPU us/tx':>10}{'/PgBouncer':>11}{'tx/s':>9}{'p50 ms':>9}{'p99 ms':>9}")
    base = medians(runs["pgbouncer"])[0] if runs["pgbouncer"] else None
    for proxy in proxies:
        if proxy.name in refused:
            print(f"    {proxy.name:<18}{refused[proxy.name][:100]}")
            continue
        cpu, rate, half, most = medians(runs[proxy.name])
        ratio = f"{cpu / base:.2f}" if base and proxy.pid else "-"
        print(f"    {proxy.name:<18}{cpu:>10.1f}{ratio:>11}{rate:>9.0f}{half:>9.2f}{most:>9.2f}")
    sys.stdout.flush()


def main():
    with Stand(PROXIES, max(CLIENTS)) as stand:
        done = stand.server.run("pgbench", "-i", "-q", "-s", SCALE)
        assert done.returncode == 0, done.stderr
        stand.settle()
        for proxy in stand.proxies:
            print(f"{proxy.name:<18}{proxy.version()}")
        for workload in WORKLOADS:
            for clients in CLIENTS:
                runs, refused = defaultdict(list), {}
                for _ in range(ROUNDS):
                    for proxy in stand.proxies:
                        if proxy.name in refused:
                            continue
                        try:
                            runs[proxy.name].append(measure(proxy, WORDS[workload], clients, SECONDS))
                        except Refused as why:
                            refused[proxy.name] = str(why)
                print_table(workload, clients, stand.proxies, runs, refused)


main()
