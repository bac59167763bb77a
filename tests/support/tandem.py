"""A cluster of our own in a temporary folder, driven from outside as a user would: by the command line and by SQL."""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = Path(os.environ.get("TANDEM_BINARY", ROOT / "build/release/pgtandem"))
PATIENCE = 60  # seconds until a condition that must come true counts as never


def wait_for(condition, what, patience=PATIENCE):
    """Gives the first true value of condition(); fails when none comes."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {patience} s in vain: {what}")


def free_ports(count):
    """The first of 'count' ports in a row that nobody listens on."""
    start = 20000 + (os.getpid() * 97 + time.monotonic_ns() // 1000) % 20000
    for first in range(start, 60000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise AssertionError("no free ports")


def server_user():
    """PostgreSQL refuses root: under root the tests run our program as the user postgres, an ordinary one."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "TANDEM"))}
    return {**kept, "ASAN_OPTIONS": "detect_leaks=1", **more}


class Tandem:
    def __init__(self, parent=None, as_root=False, pg_bin=None):
        self.parent = Path(parent or tempfile.mkdtemp(prefix="tandem_"))
        self.as_user = {} if as_root else server_user()
        if self.as_user:
            os.chown(self.parent, self.as_user["user"], self.as_user["group"])
        elif as_root:
            self.parent.chmod(0o755)
        self.folder = self.parent / "cluster"
        self.port = free_ports(10)
        self.pg_bin = pg_bin
        self.foreground = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.foreground:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.kill_all()
        shutil.rmtree(self.parent, ignore_errors=True)

    # --- commands

    def words(self, command, *words):
        place = ["--dir", str(self.folder)] if "--dir" not in words else []
        split = words.index("--") if "--" in words else len(words)
        return [str(BINARY), command, *map(str, words[:split]), *place, *map(str, words[split:])]

    def run(self, command, *words, patience=PATIENCE, stdin="", **variables):
        return subprocess.run(self.words(command, *words), capture_output=True, text=True, timeout=patience, cwd="/",
                              input=stdin, env=environment(**variables), **self.as_user)

    def ok(self, command, *words, **more):
        done = self.run(command, *words, **more)
        assert done.returncode == 0, f"{command} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def refused(self, command, *words, status=1, **more):
        """The error's text of a command that must fail, in the form all our errors have."""
        done = self.run(command, *words, **more)
        assert done.returncode == status, f"{command} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.stderr.startswith("pgtandem: ") and ": " in done.stderr[10:], done.stderr
        assert "terminate called" not in done.stderr
        return done.stderr

    def up_words(self, *words):
        bin_words = ("--pg-bin", self.pg_bin) if self.pg_bin else ()
        # The endpoint's ports are named only where a test has not named them itself.
        endpoint_words = () if "--endpoint-port" in words else ("--endpoint-port", self.port + 8, "--reads-port", self.port + 9)
        return ("--port", self.port, *endpoint_words, *bin_words, *words)

    def up(self, *words, **more):
        return self.ok("up", "--detach", *self.up_words(*words), **more)

    def start_foreground(self, *words):
        log = open(self.parent / f"foreground-{len(self.foreground)}.log", "w")
        process = subprocess.Popen(self.words("up", *self.up_words(*words)), stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, cwd="/", env=environment(), start_new_session=True,
                                   **self.as_user)
        process.log = Path(log.name)
        self.foreground.append(process)
        return process

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def node(self, name):
        return next(node for node in self.status()["nodes"] if node["name"] == name)

    def failed_checks(self):
        report = json.loads(self.run("verify", "--json").stdout)
        return {check["check"]: check["detail"] for check in report["checks"] if not check["passed"]}

    # --- SQL

    def credentials(self):
        lines = (self.folder / "credentials.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def connect(self, node="node1", **more):
        known = self.credentials()
        wanted = {"host": "127.0.0.1", "port": self.node_port(node), "user": known["POSTGRES_USER"],
                  "password": known["POSTGRES_PASSWORD"], "dbname": known["POSTGRES_DB"], "connect_timeout": 10,
                  "autocommit": True, **more}
        return psycopg.connect(**wanted)

    def sql(self, query, node="node1", **more):
        with self.connect(node, **more) as session:
            cursor = session.execute(query)
            return cursor.fetchall() if cursor.description else []

    def value(self, query, node="node1", **more):
        return self.sql(query, node, **more)[0][0]

    # --- what lies and runs there

    def store(self):
        keys = json.loads((self.folder / "store.json").read_text())["keys"]
        return {name: entry["value"] for name, entry in keys.items()}

    def reports(self):
        try:
            keys = json.loads((self.folder / "reports.json").read_text())["keys"]
        except (FileNotFoundError, ValueError):
            return {}
        return {name: entry["value"] for name, entry in keys.items()}

    def node_port(self, name):
        return self.store()["cluster"]["nodes"][name]["port"]

    def data(self, name):
        return self.folder / "nodes" / name / "data"

    def postmaster(self, name):
        return int((self.data(name) / "postmaster.pid").read_text().split()[0])

    def is_started_again(self, name, before):
        """Whether another postmaster than 'before' has taken over; in between there is no pid file, or an empty one."""
        try:
            return self.postmaster(name) != before
        except (FileNotFoundError, IndexError):
            return False

    def guard(self, name):
        return int((self.folder / "nodes" / name / "guard.lock").read_text())

    def up_process(self):
        return int((self.folder / "up.lock").read_text())

    def processes(self):
        """All live processes that work in the cluster's folder, or whose command line names it."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                    continue
                words = (entry / "cmdline").read_text()
                cwd = os.readlink(entry / "cwd")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if str(self.folder) in words or cwd.startswith(str(self.folder)):
                found.append(int(entry.name))
        return found

    def kill_all(self):
        """As a loss of power: everything at once. Repeated, since what is being started may be missed once."""
        while found := self.processes():
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)

    def logs(self):
        text = []
        for path in [self.folder / "log/pgtandem.log", *self.folder.glob("nodes/*/guard.log"), *self.folder.glob("nodes/*/log/*")]:
            if path.exists():
                text.append(f"--- {path}\n" + "\n".join(path.read_text().splitlines()[-15:]))
        return "\n".join(text)

    def assert_proven(self, replicas):
        """Up, all of it in order by our own verify and by our own eyes."""
        assert self.failed_checks() == {}, self.logs()
        nodes = self.status()["nodes"]
        assert [node["role"] for node in nodes] == ["primary"] + ["replica"] * replicas
        assert all(node["state"] == "streaming" for node in nodes[1:])
        leftovers = [path.name for path in self.folder.glob("nodes/*/data.*")]
        assert leftovers == [], leftovers
