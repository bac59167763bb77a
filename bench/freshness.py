#!/usr/bin/env python3
"""What it costs that a read sees more: the levels of consistency side by side, in turns in one run.

pgbench, nine reads to one write, over one table and over fifty, with 16 and 200 clients; `off` is `split = off`, all on the primary.
Prints medians over the rounds: the endpoint's own CPU microseconds per transaction, transactions per second, the median latency of a
read, both beside `session` (goals for `endpoint`: CPU 1.1, latency 1.25).

Then two sessions that are told of each other's writes: how many of their reads were stale, and how many ran on replicas.

TANDEM_REPLICAS=2 SECONDS=4 ROUNDS=3 CLIENTS="16 200" TABLES="1 50" LEVELS="off session endpoint strict" TOLD=4000
"""
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("TANDEM_REPLICAS", "2")
sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from proxies import Stand, claim_ports, write  # noqa: E402
from under_pgbench import measure_reads  # noqa: E402

SECONDS = float(os.environ.get("SECONDS", "4"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CLIENTS = [int(word) for word in os.environ.get("CLIENTS", "16 200").split()]
TABLES = [int(word) for word in os.environ.get("TABLES", "1 50").split()]
LEVELS = os.environ.get("LEVELS", "off session endpoint strict").split()
TOLD = int(os.environ.get("TOLD", "4000"))
ROWS = 10_000
READ = "\\set t random(0, {last})\n\\set id random(1, {rows})\nSELECT n FROM fresh_:t WHERE id = :id;\n"
WRITE = "\\set t random(0, {last})\n\\set id random(1, {rows})\nUPDATE fresh_:t SET n = n + 1 WHERE id = :id;\n"


def settings_of(level):
    return {"split": "off"} if level == "off" else {"consistency": level}


def make_tables(server):
    with server.connect() as session:
        for table in range(max(TABLES)):
            session.execute(f"CREATE TABLE fresh_{table} AS SELECT id, 0 AS n FROM generate_series(1, {ROWS}) AS id")
            session.execute(f"ALTER TABLE fresh_{table} ADD PRIMARY KEY (id), SET (fillfactor = 50)")


def print_table(tables, clients, runs):
    print(f"\n{tables} table{'s' if tables > 1 else ''}, {clients} clients, median of {ROUNDS} rounds of {SECONDS:g} s")
    print(f"    {'':<10}{'CPU us/tx':>10}{'/session':>9}{'tx/s':>9}{'read ms':>9}{'/session':>9}")
    middle = {level: [statistics.median(column) for column in zip(*found)] for level, found in runs.items()}
    base = middle.get("session")
    for level, (cpu, rate, half) in middle.items():
        ratios = (f"{cpu / base[0]:.2f}", f"{half / base[2]:.2f}") if base else ("-", "-")
        print(f"    {level:<10}{cpu:>10.1f}{ratios[0]:>9}{rate:>9.0f}{half:>9.2f}{ratios[1]:>9}")
    sys.stdout.flush()


def tell_each_other(proxy):
    """(stale reads, reads on replicas) of TOLD."""
    stale = on_replica = 0
    with proxy.place.connect() as one, proxy.place.connect() as other:
        for number in range(TOLD):
            writer, reader = (one, other) if number % 2 else (other, one)
            written = writer.execute("UPDATE fresh_0 SET n = n + 1 WHERE id = 1 RETURNING n").fetchone()[0]
            read, place = reader.execute("SELECT n, pg_is_in_recovery() FROM fresh_0 WHERE id = 1").fetchone()
            stale += read < written
            on_replica += place
    return stale, on_replica


def main():
    with Stand([], max(CLIENTS)) as stand, tempfile.TemporaryDirectory(prefix="bench_freshness_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_tables(stand.server)
        stand.settle()
        port, claim = claim_ports(2 * len(LEVELS))
        stand.undo.callback(claim.close)
        with_levels = {level: stand.undo.enter_context(stand.proxy(level, stand.served.replicas, port=port + 2 * number, **settings_of(level)))
                       for number, level in enumerate(LEVELS)}
        for tables in TABLES:
            scripts = [write(folder, name, text.format(last=tables - 1, rows=ROWS)) for name, text in (("read.sql", READ), ("write.sql", WRITE))]
            for clients in CLIENTS:
                runs = defaultdict(list)
                for _ in range(ROUNDS):
                    for level, proxy in with_levels.items():
                        runs[level].append(measure_reads(proxy, scripts, clients, SECONDS))
                print_table(tables, clients, runs)
        print(f"\ntwo sessions that are told of each other's writes, {TOLD} reads")
        for level, proxy in with_levels.items():
            stale, on_replica = tell_each_other(proxy)
            print(f"    {level:<10}{stale / TOLD:>8.2%} stale{on_replica / TOLD:>8.0%} on replicas")


main()
