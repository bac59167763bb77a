"""A primary and replicas that PostgreSQL's own programs have made, and that nobody but the test looks after."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from endpoint import Place
from tandem import claim_ports, environment, pg_program, server_user, temporary_place, wait_for

PASSWORD = "of the test"


class PlainServers:
    def __init__(self, replicas):
        self.replicas = replicas
        self.parent = Path(tempfile.mkdtemp(prefix="tandem_", dir=temporary_place()))
        if wanted := server_user():
            os.chown(self.parent, wanted["user"], wanted["group"])
        self.port, self.port_claim = claim_ports(10)
        self.tandem = self  # where a Proxy has its files

    def __enter__(self):
        (self.parent / "password").write_text(PASSWORD)
        self.run("initdb", "-D", self.folder(1), "-U", "postgres", "--pwfile", self.parent / "password", "-A", "scram-sha-256", "-N", "-E", "UTF8")
        self.configure(1, "wal_keep_size = 1GB", f"unix_socket_directories = '{self.parent}'", "fsync = off")
        self.start(1)
        for number in range(2, self.replicas + 2):
            self.run("pg_basebackup", "-D", self.folder(number), "-R", "-X", "stream", "-c", "fast", "-N", "-d", self.keywords(1))
            self.configure(number)
            self.start(number)
        return self

    def __exit__(self, *_):
        for number in range(1, self.replicas + 2):
            if (self.folder(number) / "postmaster.pid").exists():
                self.stop(number)
        self.port_claim.close()
        shutil.rmtree(self.parent, ignore_errors=True)

    def folder(self, number):
        return self.parent / f"node{number}"

    def place(self, number):
        return Place("127.0.0.1", self.port + number - 1, "postgres", PASSWORD, "postgres")

    @property
    def straight(self):
        return self.place(1)

    @property
    def servers(self):
        """As `pgtandem proxy` wants them."""
        return [f"127.0.0.1:{self.place(number).port}" for number in range(1, self.replicas + 2)]

    def keywords(self, number):
        return f"host=127.0.0.1 port={self.place(number).port} user=postgres password='{PASSWORD}'"

    def run(self, program, *words):
        done = subprocess.run([pg_program(program), *map(str, words)], capture_output=True, text=True, timeout=60, cwd="/", env=environment(), **server_user())
        assert done.returncode == 0, f"{program} {words}: {done.stdout}\n{done.stderr}"

    def configure(self, number, *lines):
        with open(self.folder(number) / "postgresql.auto.conf", "a") as file:
            file.write("\n".join(["", f"port = {self.place(number).port}", *lines, ""]))

    def start(self, number):
        # Not through a pipe: the server would keep it.
        with open(self.parent / f"log{number}", "a") as log:
            subprocess.run([pg_program("pg_ctl"), "-D", self.folder(number), "-w", "start"], stdout=log, stderr=log, timeout=60, check=True, cwd="/",
                           env=environment(), **server_user())

    def stop(self, number):
        self.run("pg_ctl", "-D", self.folder(number), "-w", "-m", "immediate", "stop")

    def promote(self, number):
        assert self.place(number).value("SELECT pg_promote()")

    def follow(self, number, primary):
        with self.place(number).connect() as session:
            quoted = self.keywords(primary).replace("'", "''")
            session.execute(f"ALTER SYSTEM SET primary_conninfo = '{quoted}'")
            session.execute("SELECT pg_reload_conf()")

    def wait_for_replicas(self, primary, *numbers):
        position = self.place(primary).value("SELECT pg_current_wal_insert_lsn()")
        for number in numbers:
            wait_for(lambda number=number: self.place(number).value(f"SELECT coalesce(pg_last_wal_replay_lsn() >= '{position}', false)"),
                     f"node{number} to follow node{primary}")
