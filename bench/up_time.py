#!/usr/bin/env python3
"""How long `pgtandem up` takes from nothing to proven, beside PostgreSQL's own programs run by a script.

Each round runs both, one after the other, so that what else the machine does meets both alike. Prints for 1 and 3
replicas: the medians, their ratio (the goal is 1.3), and pgtandem's time split by step.
"""
import os
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/pgtandem"
ROUNDS = int(os.environ.get("ROUNDS", "7"))
UNITS = {"ms": 1e-3, "s": 1.0}


def pg_bin():
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max(versions, key=lambda program: int(program.parent.parent.name)).parent


def as_server_user():
    """PostgreSQL refuses root; both sides run as the same ordinary user."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def run(*words):
    subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   cwd="/", **as_server_user())


def bare(folder, replicas, port):
    """What a person types: initdb, start, and for each replica pg_basebackup and start. Returns seconds."""
    programs = pg_bin()
    options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    begun = time.monotonic()
    run(programs / "initdb", "-D", folder / "p", "-A", "trust", "-U", "postgres", "-k", "-E", "UTF8", "--locale=C.UTF-8")
    run(programs / "pg_ctl", "-D", folder / "p", "-w", "-l", folder / "p.log", "-o", f"{options} -p {port}", "start")
    for number in range(1, replicas + 1):
        data = folder / f"r{number}"
        run(programs / "pg_basebackup", "-D", data, "-h", folder, "-p", port, "-U", "postgres", "-R", "-X", "stream",
            "-c", "fast")
        run(programs / "pg_ctl", "-D", data, "-w", "-l", f"{data}.log", "-o", f"{options} -p {port + number}", "start")
    took = time.monotonic() - begun
    for name in ["p"] + [f"r{number}" for number in range(1, replicas + 1)]:
        run(programs / "pg_ctl", "-D", folder / name, "-m", "immediate", "stop")
    return took


def ours(folder, replicas, port):
    """Seconds to the proof, and the seconds of each step: the slowest node's where several take it at once."""
    begun = time.monotonic()
    done = subprocess.run([BINARY, "up", "--detach", "--dir", folder / "cluster", "--replicas", str(replicas), "--port",
                           str(port)], check=True, capture_output=True, text=True, cwd="/", **as_server_user())
    took = time.monotonic() - begun
    steps = defaultdict(float)
    for line in done.stdout.splitlines():
        found = re.match(r"\s+(?:node\d+\s+(primary|replica)\s+)?([a-z, ]+?)\s+([\d.]+) (ms|s)\b", line)
        if found:
            name = f"{found[1] or 'pgtandem'}: {found[2]}"
            steps[name] = max(steps[name], float(found[3]) * UNITS[found[4]])
    run(BINARY, "reset", "--yes", "--dir", folder / "cluster")
    return took, steps


def one_round(measure, replicas, port):
    folder = Path(tempfile.mkdtemp(prefix="up_time_"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        return measure(folder, replicas, port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if not BINARY.exists():
        sys.exit("up_time: build/release/pgtandem: not there\ntry: ./dev build release")
    for replicas in (1, 3):
        bare_times, our_times, steps = [], [], defaultdict(list)
        for _ in range(ROUNDS):
            bare_times.append(one_round(bare, replicas, 23450))
            took, split = one_round(ours, replicas, 23460)
            our_times.append(took)
            for name, seconds in split.items():
                steps[name].append(seconds)
        there, here = statistics.median(bare_times), statistics.median(our_times)
        print(f"{replicas} replica(s), median of {ROUNDS}: bare programs {there * 1e3:.0f} ms, pgtandem {here * 1e3:.0f} ms, "
              f"ratio {here / there:.2f} (goal 1.3)")
        for name, values in steps.items():
            print(f"    {name:<40} {statistics.median(values) * 1e3:7.0f} ms")


main()
