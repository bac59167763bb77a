"""Random pg_hba.conf files and logins: the endpoint asks for the same proof as the server, refuses with the same words, and never lets in whom it refuses."""
import contextlib
import os
import random
import signal
import socket
import ssl
import struct
import time

import pytest
import wire_messages as wire
from hba_files import DATABASES, HOST_NAMES, ROLES, USERS, Generator, random_login
from plain_servers import PASSWORD, PlainServers
from proxy import Certificate, Proxy, give_to_server_user
from tandem import wait_for
from wire_client import Closed, WireClient

# Always let in: the endpoint itself, and the test's own looks.
FIRST = "host all postgres 127.0.0.1/32 scram-sha-256\nhost all looker 127.0.0.9/32 trust\n"
# What the endpoint does not do, and says so.
DOCUMENTED = ("is not supported by pgtandem's endpoint", "asks for a client certificate")


class Place:
    def __init__(self, port, folder):
        self.port, self.folder = port, folder
        self.dbname = self.user = "postgres"
        self.password = PASSWORD

    def connect(self, peer, is_tls):
        if peer is None:
            made = socket.socket(socket.AF_UNIX)
            made.connect(f"{self.folder}/.s.PGSQL.{self.port}")
            return made
        made = socket.create_connection(("::1" if ":" in peer else "127.0.0.1", self.port), 60, (peer, 0))
        if is_tls:
            made.sendall(wire.untyped(wire.SSL_REQUEST))
            assert made.recv(1) == b"S"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            made = context.wrap_socket(made)
        return made

    def answer(self, parameters, peer, is_tls=False):
        """What it wants to have proved, or the words of its refusal."""
        with WireClient(self, connect=False) as client:
            client.socket = self.connect(peer, is_tls)
            client.begin(**parameters)
            try:
                found = client.receive()
            except Closed:
                return "closed"
            if found.kind == "R":
                return struct.unpack_from("!i", found.body)[0]
            fields = wire.error_fields(found.body)
            return fields["C"], fields["M"]


class Pair:
    """A server and an endpoint before it, both with TLS and a Unix socket."""

    def __init__(self, servers, proxy, wide):
        self.servers, self.data = servers, servers.folder(1)
        self.server = Place(servers.place(1).port, servers.parent)
        self.endpoint = Place(proxy.port, proxy.folder)
        # Where one listens on "::", an IPv4 client comes from an IPv6 address in which its own is mapped.
        self.wide = Place(wide.port, wide.folder)
        self.postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        self.major = int((self.data / "PG_VERSION").read_text())

    def load_time(self):
        with WireClient(self.server, connect=False) as client:
            client.socket = self.server.connect("127.0.0.9", False)
            client.begin(user="looker")
            client.until("Z")
            return client.value("SELECT pg_conf_load_time()")

    def write(self, text, files):
        for name, content in files.items():
            (self.data / name).write_bytes(content.encode())
        (self.data / "pg_hba.conf").write_bytes((FIRST + text).encode())
        give_to_server_user(self.data)
        # Further apart than a tick of the kernel's clock for files.
        time.sleep(0.02)

    def load(self):
        before = self.load_time()
        os.kill(self.postmaster, signal.SIGHUP)
        wait_for(lambda: self.load_time() != before, "the server to load")


@pytest.fixture(scope="module")
def pair():
    with contextlib.ExitStack() as stack:
        servers = stack.enter_context(PlainServers(replicas=0))
        certificate = Certificate(servers.parent, "server")
        servers.configure(1, "ssl = on", f"ssl_cert_file = '{certificate.file}'", f"ssl_key_file = '{certificate.key}'", f"ssl_ca_file = '{certificate.file}'",
                          "listen_addresses = '127.0.0.1,::1'", "max_connections = 300")
        with servers.straight.connect() as admin:
            for role in sorted({*USERS, *ROLES, "looker"} - {"nobody"}):
                admin.execute(f"""CREATE ROLE "{role}" LOGIN PASSWORD 'x'""")
            for grant in ("staff TO anna", "shop TO bert", '"anna" TO "x y"'):
                admin.execute(f"GRANT {grant}")
            for database in sorted(set(DATABASES) - {"none", "postgres"}):
                admin.execute(f'CREATE DATABASE "{database}"')
        (servers.folder(1) / "pg_hba.conf").write_text(FIRST)
        servers.stop(1)
        servers.start(1)
        folder = servers.parent
        proxy = stack.enter_context(Proxy(servers, listen=["127.0.0.1", "::1"], tls_certificate=str(certificate.file), tls_key=str(certificate.key),
                                          unix_socket_folder=str(folder)))
        proxy.folder = folder
        wide = stack.enter_context(Proxy(servers, listen=["::"], port=servers.port + 7, tls_certificate=str(certificate.file), tls_key=str(certificate.key),
                                         unix_socket_folder=str(folder)))
        wide.folder = folder
        yield Pair(servers, proxy, wide)


def is_as_straight(straight, endpoint):
    return endpoint == straight or (isinstance(endpoint, tuple) and endpoint[0] == "28000" and any(words in endpoint[1] for words in DOCUMENTED))


def compare(pair, seed, files, logins):
    chosen = random.Random(seed)
    wrong = []
    for number in range(files):
        generator = Generator(seed * 100_000 + number, pair.major >= 16)
        text = generator.main()
        pair.write(text, generator.files)
        pair.load()
        for _ in range(logins):
            parameters, peer, is_tls = random_login(chosen)
            endpoint = chosen.choice([pair.endpoint, pair.wide])
            straight, through = [place.answer(parameters, peer, is_tls) for place in (pair.server, endpoint)]
            if not is_as_straight(straight, through):
                wrong.append((number, parameters, peer, is_tls, straight, through, text, generator.files))
    assert not wrong, f"seed {seed}: {len(wrong)} logins differ, the first: {wrong[0]}"


@pytest.mark.parametrize("seed, files, logins", [(random.randrange(1 << 30), 50, 40), pytest.param(random.randrange(1 << 30), 1200, 60, marks=pytest.mark.long)],
                         ids=["some", "many"])
def test_the_endpoint_asks_for_what_the_server_asks_for(pair, seed, files, logins):
    print(f"seed {seed}")
    compare(pair, int(os.environ.get("TANDEM_SEED", seed)), files, logins)


@pytest.mark.parametrize("host", HOST_NAMES)
def test_a_line_by_host_name_decides_as_at_the_server(pair, host):
    for method in ("reject", "password"):
        pair.write(f"host all all {host} {method}\nhost all all all trust\n", {})
        pair.load()
        for peer in ("127.0.0.1", "127.1.2.3", "::1"):
            answers = [place.answer({"user": "anna", "database": "shop"}, peer) for place in (pair.server, pair.endpoint)]
            assert answers[0] == answers[1]


def test_an_endpoint_that_starts_on_a_file_that_is_not_loaded_lets_nobody_in(pair):
    anna = {"user": "anna", "database": "shop"}, "127.0.0.1"
    pair.write("host all all all reject\n", {})
    pair.load()
    assert pair.endpoint.answer(*anna) == pair.server.answer(*anna)
    pair.write("host all all all trust\n", {})
    with Proxy(pair.servers, port=pair.servers.port + 8) as proxy:
        new = Place(proxy.port, proxy.folder)
        assert new.answer(*anna)[0] == "57P03"
        assert "changed after the server loaded it" in new.answer(*anna)[1]
        assert pair.endpoint.answer(*anna) == pair.server.answer(*anna)
        pair.load()
        wait_for(lambda: new.answer(*anna) == pair.endpoint.answer(*anna) == pair.server.answer(*anna) == 0, "the new lines to count")


def test_edited_and_loaded_and_edited_again_within_the_same_second(pair):
    """The lines that were there at the load count, whatever a file's times say in whole seconds."""
    anna = {"user": "anna", "database": "shop"}, "127.0.0.1"
    for _ in range(5):
        pair.write("host all all all reject\n", {})
        pair.load()
        assert pair.endpoint.answer(*anna)[0] == "28000"
        pair.write("host all all all trust\n", {})
        assert pair.endpoint.answer(*anna) == pair.server.answer(*anna)


def test_a_load_that_a_fault_in_postgresql_conf_hides_still_counts(pair):
    anna = {"user": "anna", "database": "shop"}, "127.0.0.1"
    conf = pair.data / "postgresql.conf"
    pair.write("host all all all trust\n", {})
    pair.load()
    assert pair.endpoint.answer(*anna) == 0
    before = conf.read_text()
    try:
        conf.write_text(before + "\nno such setting\n")
        pair.write("host all all all reject\n", {})
        os.kill(pair.postmaster, signal.SIGHUP)
        wait_for(lambda: pair.server.answer(*anna) != 0, "the server to reject")
        assert pair.endpoint.answer(*anna)[0] == "28000"
    finally:
        conf.write_text(before)
    pair.load()
    assert pair.endpoint.answer(*anna) == pair.server.answer(*anna)
