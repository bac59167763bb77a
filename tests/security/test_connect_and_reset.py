"""Connections that send a startup message and are reset at once: what was asked for them is dropped, and others log in meanwhile."""
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import psycopg
import pytest
import wire_messages as wire
from plain_servers import PASSWORD, PlainServers
from proxy import Proxy
from tandem import wait_for

# For a minute and a half at most. So many at a time are open, and are then reset together: with one it is reset before the endpoint has read anything.
ATTACK = """
import socket, struct, sys, time
port, count, peer, startup, wave = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], bytes.fromhex(sys.argv[4]), int(sys.argv[5])
reset = struct.pack("ii", 1, 0)
made = []
end = time.monotonic() + 90
for _ in range(count):
    if time.monotonic() > end:
        break
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    made.append(one)
    try:
        one.bind((peer, 0))
        one.connect(("127.0.0.1", port))
        one.sendall(startup)
    except OSError:
        pass
    if len(made) == wave:
        for one in made:
            one.close()
        made.clear()
"""


@pytest.fixture(scope="module")
def servers():
    with PlainServers(0) as servers:
        servers.configure(1, "log_statement = 'all'", "max_connections = 300")
        servers.straight.sql("CREATE ROLE anna LOGIN PASSWORD 'of the test'")
        servers.stop(1)
        servers.start(1)
        yield servers


def startup_of(user):
    return wire.startup({"user": user, "database": "postgres"})


def attack(port, count, peer, user, wave):
    words = [sys.executable, "-c", ATTACK, str(port), str(count), peer, startup_of(user).hex(), str(wave)]
    return subprocess.Popen(words)


def looked_up(servers, user):
    """How many logins of that user the server was asked about."""
    text = (servers.parent / "log1").read_text(errors="replace")
    questions = [one for asked in re.findall(r"""parameters: \$1 = '(\[\[".*\]\])'$""", text, re.M) for one in json.loads(asked)]
    return sum(one[0] == user for one in questions)


def log_in(port, user="postgres"):
    began = time.monotonic()
    with psycopg.connect(f"host=127.0.0.1 port={port} user={user} password='{PASSWORD}' dbname=postgres", connect_timeout=30) as session:
        assert session.execute("SELECT 1").fetchone() == (1,)
    return time.monotonic() - began


def log_in_during(port, attackers):
    times = []
    while any(process.poll() is None for process in attackers) or not times:
        times.append(log_in(port))
    assert all(process.wait() == 0 for process in attackers)
    return f"{len(times)} logins, the median after {sorted(times)[len(times) // 2]:.3f} s, the slowest {max(times):.3f} s"


@contextlib.contextmanager
def stopped_look_ups(servers, port):
    """The server's process that answers the login desk stands still."""
    log_in(port)
    pid = servers.straight.value("""SELECT pid FROM pg_stat_activity WHERE application_name = 'pgtandem'
        AND query ~ 'pg_stat_file|rolvaliduntil|pg_conf_load_time[(][)]::' ORDER BY query_start DESC LIMIT 1""")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_nothing_is_looked_up_for_who_has_left(servers):
    """Of one that closes, nothing tells that it does not read on: it is answered, as by the server, in its turn."""
    with Proxy(servers) as proxy:
        before = looked_up(servers, "ghost")
        with stopped_look_ups(servers, proxy.port):
            files = lambda: len(os.listdir(f"/proc/{proxy.process.pid}/fd"))
            files_before = files()
            for _ in range(10):
                gone = [socket.create_connection(("127.0.0.1", proxy.port)) for _ in range(200)]
                for one in gone:
                    one.sendall(startup_of("ghost"))
                wait_for(lambda: files() >= files_before + 200, "all to be accepted")
                for one in gone:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.close()
                wait_for(lambda: files() <= files_before, "all to be gone", 5)
        log_in(proxy.port)
        # One look-up of 64 at most was on its way when they left.
        assert looked_up(servers, "ghost") - before <= 64


@pytest.mark.parametrize("count", [20_000, pytest.param(346_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("attacker, peer, wave", [("ghost", "127.0.0.1", 1), ("anna", "127.0.0.3", 1), ("ghost", "127.0.0.3", 400)],
                         ids=["as the others", "from elsewhere", "together"])
def test_others_log_in_while_startups_are_reset(servers, attacker, peer, wave, count):
    """A login that fails, or takes longer than libpq waits for it, fails the test; what it takes depends on the machine."""
    with Proxy(servers) as proxy:
        before = looked_up(servers, attacker)
        print(log_in_during(proxy.port, [attack(proxy.port, count // 2, peer, attacker, wave) for _ in range(2)]))
        print(f"{looked_up(servers, attacker) - before} of {count} looked up")
        wait_for(lambda: log_in(proxy.port) < 1, "a login after it")


@pytest.mark.long
def test_what_resets_cost_straight_and_through_the_endpoint_in_turns(servers):
    """For docs/measurements.md."""
    with Proxy(servers) as proxy:
        for place, port in 2 * [("straight", servers.straight.port), ("endpoint", proxy.port)]:
            began = time.monotonic()
            print(place, log_in_during(port, [attack(port, 173_000, "127.0.0.1", "ghost", 1) for _ in range(2)]), f"in {time.monotonic() - began:.0f} s")
