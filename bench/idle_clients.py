#!/usr/bin/env python3
"""Memory of a proxy per idle client, and how it does with many active ones, beside PgBouncer.

IDLE=10000 clients log in and then do nothing; what the process's resident memory grew by, divided by their number, is what each
costs (goal: 4 KB). They stay while ACTIVE=2000 clients of pgbench select for SECONDS=5.
"""
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

from proxies import Stand  # noqa: E402
from under_pgbench import Refused, measure  # noqa: E402
from wire_client import WireClient  # noqa: E402

IDLE = int(os.environ.get("IDLE", "10000"))
ACTIVE = int(os.environ.get("ACTIVE", "2000"))
SECONDS = float(os.environ.get("SECONDS", "5"))
PROXIES = os.environ.get("PROXIES", "pgtandem pgbouncer").split()
LOGINS_AT_ONCE = 8


def raise_limits():
    """For us, and by inheritance for the proxies."""
    wanted = IDLE + ACTIVE + 2000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f"idle_clients: RLIMIT_NOFILE: {hard} at most, and {wanted} are needed\ntry: fewer by IDLE and ACTIVE")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def log_in(place):
    client = WireClient(place).log_in()
    client.transcript.clear()
    return client


def settled_bytes(proxy):
    """Resident memory once it no longer grows."""
    before = 0
    while (now := proxy.resident_bytes()) > before:
        before = now
        time.sleep(0.5)
    return now


def idle(proxy):
    warm = [log_in(proxy.place) for _ in range(10)]
    before = settled_bytes(proxy)
    begun = time.monotonic()
    with ThreadPoolExecutor(LOGINS_AT_ONCE) as pool:
        clients = list(pool.map(lambda _: log_in(proxy.place), range(IDLE)))
    took = time.monotonic() - begun
    grown = settled_bytes(proxy) - before
    print(f"{proxy.name}: {IDLE} idle clients: {grown / 1e6:.1f} MB, {grown / IDLE:.0f} bytes each (goal 4096); "
          f"logins {IDLE / took:.0f} per second; process {(before + grown) / 1e6:.0f} MB")
    return warm + clients


def active(proxy):
    try:
        cpu, rate, half, most = measure(proxy, ["-S"], ACTIVE, SECONDS)
        said = f"{rate:.0f} tx/s, {cpu:.1f} CPU us/tx, p50 {half:.1f} ms, p99 {most:.1f} ms"
    except Refused as why:
        said = f"refused: {why}"
    print(f"{proxy.name}: {ACTIVE} active clients beside them: {said}; process {proxy.resident_bytes() / 1e6:.0f} MB")


def main():
    raise_limits()
    with Stand(PROXIES, IDLE + ACTIVE) as stand:
        done = stand.server.run("pgbench", "-i", "-q", "-s", 1)
        assert done.returncode == 0, done.stderr
        for proxy in stand.proxies:
            clients = idle(proxy)
            active(proxy)
            for client in clients[::100]:
                assert client.value("SELECT 1") == "1", "an idle client was lost"
            for client in clients:
                client.close()


main()
