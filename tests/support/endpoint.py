"""Where a client connects: straight to a server, or to the endpoint before it. The same scenario runs against both."""
import contextlib
import functools
import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from tandem import BINARY, Tandem, client_program, environment, server_user

NO_ENDPOINT = "this pgtandem opens no endpoint yet: `pgtandem up --help` does not name --endpoint-port"


@dataclass(frozen=True)
class Place:
    host: str
    port: int
    user: str
    password: str
    dbname: str

    def at(self, **changed):
        return replace(self, **changed)

    def words(self):
        return {"host": self.host, "port": self.port, "user": self.user, "password": self.password, "dbname": self.dbname}

    def uri(self):
        return f"postgresql://{quote(self.user)}:{quote(self.password)}@{self.host}:{self.port}/{quote(self.dbname)}"

    def variables(self):
        """For libpq's programs."""
        return {"PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user, "PGPASSWORD": self.password,
                "PGDATABASE": self.dbname}

    def connect(self, **more):
        return psycopg.connect(**{**self.words(), "connect_timeout": 60, "autocommit": True, **more})

    def sql(self, query, **more):
        with self.connect(**more) as session:
            cursor = session.execute(query)
            return cursor.fetchall() if cursor.description else []

    def value(self, query, **more):
        return self.sql(query, **more)[0][0]

    def run(self, *words, stdin="", patience=120, **variables):
        """One of libpq's programs against this place."""
        program, *rest = map(str, words)
        return subprocess.run([client_program(program), *rest], capture_output=True, text=True, input=stdin, timeout=patience,
                              cwd="/tmp", env=environment(**{**self.variables(), **variables}), **server_user())


# With replicas the endpoint splits: what holds without has to hold then too.
REPLICAS = int(os.environ.get("TANDEM_REPLICAS", 0))
# Settings of every endpoint that does not set them itself: '{"threads": 3}'.
SETTINGS = json.loads(os.environ.get("TANDEM_SETTINGS", "{}"))
# Drivers and the corpus always meet an endpoint that splits, as a user does.
SPLIT = max(REPLICAS, 1)


@functools.cache
def has_endpoint():
    done = subprocess.run([str(BINARY), "up", "--help"], capture_output=True, text=True, cwd="/")
    return "--endpoint-port" in done.stdout


class Served:
    """A cluster with its endpoint, where the program has one. 'settings' are the endpoint's, by name."""

    def __init__(self, replicas=REPLICAS, **settings):
        self.tandem = Tandem()
        self.replicas = replicas
        self.settings = SETTINGS | settings

    def __enter__(self):
        words = ["--replicas", str(self.replicas), "--set", "max_connections=300", "--set", "max_prepared_transactions=10"]
        if has_endpoint():
            words += ["--endpoint-port", str(self.endpoint_port), "--reads-port", str(self.endpoint_port + 1)]
            words += self.settings_words()
        with contextlib.ExitStack() as undo:
            undo.push(self.tandem)
            self.tandem.up(*words)
            undo.pop_all()
        return self

    def __exit__(self, *reason):
        self.tandem.__exit__(*reason)

    def settings_words(self):
        file = self.tandem.parent / "pgtandem.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in self.settings.items()]
        file.write_text("\n".join(["[endpoint]", *lines]) + "\n")
        file.chmod(0o644)
        return ["--config", str(file)]

    @property
    def endpoint_port(self):
        return self.tandem.port + 8

    @property
    def straight(self):
        known = self.tandem.credentials()
        return Place("127.0.0.1", self.tandem.node_port("node1"), known["POSTGRES_USER"], known["POSTGRES_PASSWORD"],
                     known["POSTGRES_DB"])

    @property
    def endpoint(self):
        return self.straight.at(port=self.endpoint_port)

    def backends(self):
        """The servers' sessions of clients, whoever opened them, but not pgtandem's own and not the one that asks."""
        found = []
        for number in range(1, self.replicas + 2):
            found += self.straight.at(port=self.tandem.node_port(f"node{number}")).sql(
                """SELECT pid, coalesce(state, ''), application_name, query FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename = current_user
                AND application_name NOT LIKE 'pgtandem%'""")
        return found

    def most_backends(self, pool_size):
        """Each server has a pool of its own."""
        return pool_size * (self.replicas + 1)

    def end_backend(self, pid):
        """Whichever server has it."""
        for number in range(1, self.replicas + 2):
            self.straight.at(port=self.tandem.node_port(f"node{number}")).value(f"SELECT pg_terminate_backend({pid})")

    def busy_backends(self):
        return [backend for backend in self.backends() if backend[1] != "idle"]

    def up_resident_bytes(self):
        text = (Path("/proc") / str(self.tandem.up_process()) / "status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    def sharing_reports(self):
        """What the log says of the checking mode."""
        texts = (path.read_text(errors="replace") for path in self.tandem.folder.rglob("*.log"))
        return [line for text in texts for line in text.splitlines() if "sharing check" in line]

    def sharing_counts(self):
        """Of all databases: how many checks, and how many of them found something."""
        rows = self.console("SHOW STATS")
        return tuple(sum(int(row[name]) for row in rows) for name in ("sharing_checks", "sharing_faults"))

    def console(self, command):
        """The rows of a command of the console, as dictionaries."""
        with self.endpoint.at(dbname="pgtandem").connect(cursor_factory=psycopg.ClientCursor) as session:
            session.prepare_threshold = None
            cursor = session.execute(command)
            return [dict(zip([column.name for column in cursor.description], row)) for row in cursor.fetchall()]


def served_for(replicas=REPLICAS, **settings):
    """A module's fixture: one cluster for all its tests."""
    @pytest.fixture(scope="module")
    def served():
        with Served(replicas, **settings) as made:
            yield made
            # In the checking mode, whatever the tests did: it left nothing behind.
            if made.settings.get("check_sharing") == "on":
                assert made.sharing_reports() == []
                assert made.sharing_counts()[0] > 0
    return served


@pytest.fixture
def endpoint(served):
    """The endpoint of the module's cluster; skips where the program has none yet."""
    if not has_endpoint():
        pytest.skip(NO_ENDPOINT)
    return served.endpoint


@pytest.fixture(params=["straight", "endpoint"])
def place(served, request):
    """The same test straight and through the endpoint."""
    if request.param == "endpoint" and not has_endpoint():
        pytest.skip(NO_ENDPOINT)
    return getattr(served, request.param)
