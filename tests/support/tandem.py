"""A cluster of our own in a temporary folder, driven from outside as a user would: by the command line and by SQL."""
import atexit
import json
import os
import pty
import pwd
import random
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = Path(os.environ.get("TANDEM_BINARY", ROOT / "build/release/pgtandem"))
PG_BIN = os.environ.get("TANDEM_PG_BIN")  # PostgreSQL's programs to test with, if not the distribution's
PATIENCE = int(os.environ.get("TANDEM_PATIENCE", 60))  # seconds until a condition that must come true counts as never


def runnable(program):
    """The program, or a copy of it where it lies in a folder that only root may enter."""
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in program.parents):
        return program
    folder = Path(tempfile.mkdtemp(prefix="tandem_program_"))
    atexit.register(shutil.rmtree, folder)
    folder.chmod(0o755)
    return Path(shutil.copy(program, folder))


BINARY = runnable(BUILT)


def wait_for(condition, what, patience=PATIENCE):
    """Gives the first true value of condition(); fails when none comes."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited {patience} s in vain: {what}")


def claim_ports(count):
    """Ports in a row that nobody listens on, and a claim on them that keeps other tests away as long as it is open.

    The claim is a name that only one socket of this machine can have; the range is below the one of outgoing connections.
    """
    lowest, highest = 10240, 32000
    blocks = (highest - lowest) // count
    start = random.randrange(blocks)
    for block in range(start, start + blocks):
        first = lowest + block % blocks * count
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0pgtandem test ports {first}")
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return first, claim
        except OSError:
            claim.close()
    raise AssertionError("no free ports")


def temporary_place():
    """Clusters of tests lie in memory where there is enough of it: what they wait for most is the disk."""
    memory = Path("/dev/shm")
    try:
        free = os.statvfs(memory)
    except OSError:
        return None
    return memory if free.f_bavail * free.f_frsize > 4 << 30 and os.access(memory, os.W_OK) else None


def server_user():
    """PostgreSQL refuses root: under root the tests run our program as the user postgres, an ordinary one."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "TANDEM"))}
    chosen = {"PGTANDEM_PG_BIN": PG_BIN} if PG_BIN else {}
    return {**kept, "ASAN_OPTIONS": "detect_leaks=1", **chosen, **more}


def pg_program(name):
    """One of PostgreSQL's programs, of the version under test."""
    places = [PG_BIN] if PG_BIN else sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    return str(Path(places[-1]) / name)


VERSION = int(subprocess.run([pg_program("postgres"), "--version"], capture_output=True, text=True, check=True).stdout.split()[2].split(".")[0])  # its first number


def client_program(name):
    """One of libpq's programs: of the version under test, or the distribution's as a user has it in PATH."""
    return pg_program(name) if PG_BIN and "/" not in name else name


def segments_of(pid):
    """The files of dynamic shared memory that a process of a server has mapped."""
    try:
        words = Path(f"/proc/{pid}/maps").read_text().split()
    except OSError:
        return set()
    return {Path(word) for word in words if word.startswith("/dev/shm/PostgreSQL.")}


class Tandem:
    def __init__(self, parent=None, as_root=False):
        self.parent = Path(parent or tempfile.mkdtemp(prefix="tandem_", dir=temporary_place()))
        self.as_user = {} if as_root else server_user()
        if self.as_user:
            os.chown(self.parent, self.as_user["user"], self.as_user["group"])
        elif as_root:
            self.parent.chmod(0o755)
        self.folder = self.parent / "cluster"
        self.port, self.port_claim = claim_ports(10)
        self.foreground = []
        self.segments = set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.foreground:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.kill_all()
        self.release_shared_memory()
        self.port_claim.close()
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
        # The endpoint's ports are named only where a test has not named them itself.
        endpoint_words = () if "--endpoint-port" in words else ("--endpoint-port", self.port + 8, "--reads-port", self.port + 9)
        return ("--port", self.port, *endpoint_words, *words)

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
        done = self.run("verify", "--json")
        assert done.stdout, f"verify: {done.returncode}\n{done.stderr}\n{self.logs()}"
        report = json.loads(done.stdout)
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
        """Waits where a server is just ending or starting."""
        def written():
            try:
                return (self.data(name) / "postmaster.pid").read_text().split()
            except FileNotFoundError:
                return None
        return int(wait_for(written, f"the process id of {name}")[0])

    def is_started_again(self, name, before):
        """Whether another postmaster than 'before' has taken over."""
        return self.postmaster(name) != before

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
                self.segments |= segments_of(pid)
            for pid in found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)

    def release_shared_memory(self):
        """What killed servers leave: a system has 4096 places for the one kind, and memory for the other."""
        for segment in self.segments:
            segment.unlink(missing_ok=True)
        for pidfile in self.folder.glob("nodes/*/*/postmaster.pid"):
            lines = pidfile.read_text().splitlines()
            if len(lines) >= 7 and len(lines[6].split()) == 2:
                subprocess.run(["ipcrm", "-m", lines[6].split()[1]], stderr=subprocess.DEVNULL)

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


class OnTerminal:
    """One of our commands on a terminal of its own, as a user has it: what it draws can be read, keys can be pressed."""

    def __init__(self, tandem, command, *words):
        self.ours, theirs = pty.openpty()
        # A new session whose terminal this is, so that Ctrl-C comes as a signal.
        take_terminal = ["setsid", "--ctty"]
        self.process = subprocess.Popen(take_terminal + tandem.words(command, *words), stdin=theirs, stdout=theirs, stderr=theirs,
                                        cwd="/", env=environment(TERM="xterm"), **tandem.as_user)
        os.close(theirs)
        self.shown = b""
        self.is_closing = False
        self.reader = threading.Thread(target=self.read_all)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.ours is not None:
            self.hang_up()

    def read_all(self):
        while not self.is_closing:
            if not select.select([self.ours], [], [], 0.05)[0]:
                continue
            try:
                self.shown += os.read(self.ours, 65536)
            except OSError:
                return  # nobody is left on the other side

    def text(self):
        return self.shown.decode(errors="replace").replace("\r\n", "\n")

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def hang_up(self):
        """As a terminal's window that is closed."""
        self.is_closing = True
        self.reader.join()
        os.close(self.ours)
        self.ours = None

    def status(self):
        """The command's exit status, once all it has drawn was read."""
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return status
