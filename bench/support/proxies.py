"""The programs that the endpoint is measured beside, each started before the same server, and what their processes use."""
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/support"))

from endpoint import NO_ENDPOINT, REPLICAS, Served, has_endpoint  # noqa: E402
from proxy import Proxy as ProxyProcess  # noqa: E402
from tandem import PATIENCE, claim_ports, environment, server_user, wait_for  # noqa: E402

POOL_SIZE = 20  # backends, of those that share them
PGBOUNCER = os.environ.get("PGBOUNCER", "pgbouncer")


def process_tree(root):
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    tree, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in tree} - tree
        tree |= more
        grown = bool(more)
    return tree


def cpu_of(pid):
    """Microseconds on a processor, user and system, of all its threads (nanosecond counters of the scheduler)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1000


class Proxy:
    """What clients connect to; 'pid' is that of its process, or None for the server itself."""
    has_children = False
    pid = None

    def __init__(self, name, place):
        self.name = name
        self.place = place
        self.process = None

    def version(self):
        return ""

    def cpu_microseconds(self):
        if self.pid is None:
            return 0
        return sum(map(cpu_of, process_tree(self.pid) if self.has_children else [self.pid]))

    def resident_bytes(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())[1]) * 1024

    def start(self, folder, *words):
        log = open(folder / f"{self.name}.log", "w")
        self.process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=subprocess.STDOUT, cwd="/",
                                        env=environment(), start_new_session=True, **server_user())
        self.pid = self.process.pid
        self.wait_until_it_answers(log.name)
        return self

    def wait_until_it_answers(self, log):
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection((self.place.host, self.place.port), 1).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"starting {self.name}: {self.place.port}: does not answer:\n{Path(log).read_text()}")
            time.sleep(0.01)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    if user := server_user():
        shutil.chown(path, user["user"], user["group"])
    path.chmod(0o600)
    return path


def first_line_of(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()[0]


class PgBouncer(Proxy):
    def version(self):
        return first_line_of(PGBOUNCER, "--version")

    def prepares(self):
        """Whether it can carry prepared statements from backend to backend (1.21)."""
        return tuple(map(int, re.search(r"(\d+)\.(\d+)", self.version()).groups())) >= (1, 21)

    def run(self, folder, server, host, clients, port=None):
        users = write(folder, "users.txt", f'"{server.user}" "{server.password}"\n')
        prepared = "max_prepared_statements = 500" if self.prepares() else ""
        return self.start(folder, PGBOUNCER, write(folder, f"{self.name}.ini", f"""
[databases]
{server.dbname} = host={host} port={port or server.port} dbname={server.dbname}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.place.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {POOL_SIZE}
max_client_conn = {clients}
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
{prepared}
"""))


class Pgpool(Proxy):
    has_children = True

    def version(self):
        return first_line_of("/usr/sbin/pgpool", "--version")

    def run(self, folder, server, clients):
        passwords = write(folder, "pool_passwd", f"{server.user}:TEXT{server.password}\n")
        rules = write(folder, "pool_hba.conf", "host all all 127.0.0.1/32 scram-sha-256\n")
        settings = write(folder, "pgpool.conf", f"""
listen_addresses = '127.0.0.1'
port = {self.place.port}
socket_dir = '{folder}'
pcp_port = {self.place.port + 1}
pcp_socket_dir = '{folder}'
pid_file_name = '{folder}/pgpool.pid'
logdir = '{folder}'
work_dir = '{folder}'
backend_clustering_mode = 'streaming_replication'
backend_hostname0 = '127.0.0.1'
backend_port0 = {server.port}
backend_weight0 = 1
num_init_children = {clients}
max_pool = 1
enable_pool_hba = on
pool_passwd = '{passwords}'
sr_check_period = 0
health_check_period = 0
log_min_messages = error
""")
        return self.start(folder, "/usr/sbin/pgpool", "-n", "-f", settings, "-a", rules)


class Haproxy(Proxy):
    def version(self):
        return first_line_of("haproxy", "-v")

    def run(self, folder, server, clients):
        return self.start(folder, "haproxy", "-db", "-f", write(folder, "haproxy.cfg", f"""
global
    maxconn {clients}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen postgresql
    bind 127.0.0.1:{self.place.port}
    server primary 127.0.0.1:{server.port}
"""))


class Endpoint(Proxy):
    """The endpoint in a process of its own, as `pgtandem up` runs it before its servers."""

    def version(self):
        return "pgtandem up"


# `pgtandem proxy` before the same servers, to show apart what the split and what the floors cost.
VARIANTS = {"pgtandem_off": {"split": "off"}, "pgtandem_eventual": {"consistency": "eventual"}}
# `pgtandem proxy` of this program and, named by BEFORE, of another one: what a change costs, in turns in one run.
IN_TURNS = {"pgtandem_now": {}, **({"pgtandem_before": {"binary": os.environ["BEFORE"]}} if "BEFORE" in os.environ else {})}


@contextlib.contextmanager
def without_autogroups():
    """The scheduler gives each session of the system its own share: what a program costs then says more of where it was started."""
    switch = Path("/proc/sys/kernel/sched_autogroup_enabled")
    before = switch.read_text() if switch.exists() else None
    if before is None or not os.access(switch, os.W_OK):
        print("the scheduler's autogroups stay as they are: the programs are not scheduled alike")
        yield
        return
    switch.write_text("0")
    try:
        yield
    finally:
        switch.write_text(before)


class Stand:
    """One server, with TANDEM_REPLICAS its replicas too, and before it the proxies that are asked for by name."""
    names = ("straight", "pgtandem", *(VARIANTS if REPLICAS else ()), "pgbouncer", "pgbouncer_unix",
             *(["pgbouncer_all"] if REPLICAS else ()), "pgpool", "haproxy")

    def __init__(self, wanted, clients_max):
        self.wanted = wanted
        self.clients_max = clients_max
        self.proxies = []

    def __enter__(self):
        self.undo = contextlib.ExitStack()
        with self.undo:
            self.undo.enter_context(without_autogroups())
            self.served = self.undo.enter_context(Served(pool_size=POOL_SIZE))
            self.server = self.served.straight
            port, claim = claim_ports(20)
            self.undo.callback(claim.close)
            for number, name in enumerate(self.wanted):
                if proxy := self.make(name, self.server.at(port=port + 2 * number)):
                    self.undo.callback(proxy.stop)
                    self.proxies.append(proxy)
            self.undo = self.undo.pop_all()
        return self

    def __exit__(self, *reason):
        self.undo.close()

    def settle(self):
        """What is done once before the measuring is over: checkpoints, and replicas that have replayed it all."""
        nodes = [self.server.at(port=self.served.tandem.node_port(f"node{number}")) for number in range(1, self.served.replicas + 2)]
        self.server.sql("VACUUM ANALYZE")
        self.server.sql("CHECKPOINT")
        position = self.server.value("SELECT pg_current_wal_lsn()")
        for replica in nodes[1:]:
            wait_for(lambda replica=replica: replica.value(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"), "the replicas to follow")
            replica.sql("CHECKPOINT")

    @contextlib.contextmanager
    def proxy(self, name, replicas, **settings):
        """`pgtandem proxy` before the primary and so many of its replicas."""
        nodes = [f"127.0.0.1:{self.served.tandem.node_port(f'node{number}')}" for number in range(1, replicas + 2)]
        with ProxyProcess(self.served, servers=nodes, pool_size=POOL_SIZE, **settings) as process:
            proxy = Endpoint(name, process.place)
            proxy.pid = process.process.pid
            yield proxy

    def sockets_of_all(self, folder, port):
        """A folder for each server, in which its socket has the same name as those of the others: PgBouncer takes turns among hosts of one port."""
        for number in range(1, self.served.replicas + 2):
            node = self.server.at(port=self.served.tandem.node_port(f"node{number}"))
            home = folder / f"sockets{number}"
            home.mkdir()
            (home / f".s.PGSQL.{port}").symlink_to(f"{node.value('SHOW unix_socket_directories')}/.s.PGSQL.{node.port}")
            yield str(home)

    def make(self, name, place):
        folder, server = self.served.tandem.parent, self.server
        match name:
            case "straight":
                return Proxy(name, server)
            case "pgtandem" if has_endpoint():
                endpoint = Endpoint(name, self.served.endpoint)
                endpoint.pid = self.served.tandem.up_process()
                return endpoint
            case "pgtandem":
                print(f"pgtandem is left out: {NO_ENDPOINT}")
                return None
            case _ if name in VARIANTS | IN_TURNS:
                return self.undo.enter_context(self.proxy(name, self.served.replicas, port=place.port, **(VARIANTS | IN_TURNS)[name]))
            case "pgbouncer":
                return PgBouncer(name, place).run(folder, server, server.host, self.clients_max + 100)
            case "pgbouncer_unix":
                return PgBouncer(name, place).run(folder, server, server.value("SHOW unix_socket_directories"),
                                                   self.clients_max + 100)
            case "pgbouncer_all":
                return PgBouncer(name, place).run(folder, server, ",".join(self.sockets_of_all(folder, place.port)),
                                                   self.clients_max + 100, port=place.port)
            case "pgpool":
                return Pgpool(name, place).run(folder, server, self.clients_max + 100)
            case "haproxy":
                return Haproxy(name, place).run(folder, server, self.clients_max + 100)
        raise SystemExit(f"bench: {name}: there is no such proxy\ntry: {', '.join(self.names)}")
