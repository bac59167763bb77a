#!/usr/bin/env python3
"""What replicas bring for reads: each server is held to the same share of a processor, and only the servers are scarce.

1. pgbench select-only through the endpoint, before the primary alone, with one replica and with two, by turns. Prints transactions
   per second, and them divided by (replicas + 1) times those of the primary alone: goal 0.95.
2. 5,000 users, 10,000 requests by 20 clients, half for one user by id, half for a list of 50: one server, straight, against the cluster.

Needs root, for the cgroups. SECONDS=5 ROUNDS=3 CLIENTS=12 SHARE=25 (percent of a processor for each server)
"""
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))
os.environ["TANDEM_REPLICAS"] = "2"

from cpu_share import CpuShare  # noqa: E402
from proxies import Stand, environment, server_user, write  # noqa: E402
from under_pgbench import measure  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "5"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CLIENTS = int(os.environ.get("CLIENTS", "12"))
SHARE = int(os.environ.get("SHARE", "25"))
REPLICAS = (0, 1, 2)
USERS, REQUESTS, REQUESTERS, LIST = 5000, 10_000, 20, 50
GOAL = 0.95


def share_out(stand, undo):
    """Each server of the cluster gets its share."""
    for number in range(1, stand.served.replicas + 2):
        data = stand.served.tandem.folder / "nodes" / f"node{number}" / "data"
        undo.enter_context(CpuShare(int((data / "postmaster.pid").read_text().splitlines()[0]), SHARE))


def by_replicas(stand):
    runs = defaultdict(list)
    for _ in range(ROUNDS):
        for count in REPLICAS:
            # One at a time: each looks at its servers too.
            with stand.proxy("pgtandem", count) as proxy:
                runs[count].append(measure(proxy, ["-S", "-M", "simple"], CLIENTS, SECONDS)[1])
    print(f"\nselect-only, {CLIENTS} clients, each server {SHARE} % of a processor, median of {ROUNDS} rounds of {SECONDS:g} s")
    alone = statistics.median(runs[0])
    for count in REPLICAS:
        rate = statistics.median(runs[count])
        print(f"    {count} replicas {rate:>8.0f} tx/s   {rate / alone:.2f} times, {rate / alone / (count + 1):.2f} of {count + 1} (goal {GOAL})")


def make_users(server):
    server.sql(f"""CREATE TABLE users AS SELECT n AS id, 'user ' || n AS name, 'user' || n || '@example.org' AS email,
               now() - n * interval '1 minute' AS created FROM generate_series(1, {USERS}) AS n""")
    server.sql("ALTER TABLE users ADD PRIMARY KEY (id)")
    server.sql("CREATE INDEX ON users (created)")


def requests(place, scripts):
    """Seconds for all of them."""
    words = ["pgbench", "-n", *scripts, "-D", f"users={USERS}", "-D", f"list={LIST}", "-c", REQUESTERS, "-j", 2, "-t", REQUESTS // REQUESTERS]
    begin = time.monotonic()
    subprocess.run([str(word) for word in words], check=True, capture_output=True, cwd="/", env=environment(**place.variables()), **server_user())
    return time.monotonic() - begin


def classic(stand):
    folder = stand.served.tandem.parent
    one = write(folder, "one.sql", "\\set id random(1, :users)\nSELECT * FROM users WHERE id = :id;\n")
    some = write(folder, "some.sql", "\\set first random(0, :users - :list)\nSELECT * FROM users ORDER BY created LIMIT :list OFFSET :first;\n")
    took = defaultdict(list)
    for _ in range(ROUNDS):
        for name, place in ("one server", stand.server), ("the cluster", stand.served.endpoint):
            took[name].append(requests(place, ["-f", one, "-f", some]))
    print(f"\n{USERS} users, {REQUESTS} requests by {REQUESTERS} clients, half by id, half lists of {LIST}, median of {ROUNDS} rounds")
    single = statistics.median(took["one server"])
    for name, seconds in took.items():
        middle = statistics.median(seconds)
        print(f"    {name:<12} {middle:>7.2f} s {REQUESTS / middle:>8.0f} requests/s   {single / middle:.2f} times")


def main():
    with contextlib.ExitStack() as undo:
        stand = undo.enter_context(Stand([], CLIENTS))
        stand.server.run("pgbench", "-i", "-q", "-s", "5")
        make_users(stand.server)
        stand.settle()
        share_out(stand, undo)
        by_replicas(stand)
        classic(stand)


main()
