"""A replica is promoted behind the endpoint's back: sessions go on, on the right servers, and none of them reads back in time."""
import psycopg
import pytest
from plain_servers import PlainServers
from proxy import Proxy
from tandem import wait_for

SESSIONS = 6
ROUNDS = 40


@pytest.fixture
def servers():
    with PlainServers(replicas=2) as made:
        with made.straight.connect() as session:
            session.execute(f"CREATE TABLE counts AS SELECT id, 0 AS n FROM generate_series(1, {SESSIONS}) AS id")
        made.wait_for_replicas(1, 2, 3)
        yield made


@pytest.fixture
def proxy(servers):
    with Proxy(servers, servers=servers.servers) as made:
        yield made


class Session:
    def __init__(self, place, number):
        self.connection = place.connect(cursor_factory=psycopg.ClientCursor)
        self.connection.prepare_threshold = None
        self.number = number

    def ask(self, query):
        return self.connection.execute(query).fetchone()

    def write(self):
        return self.ask(f"UPDATE counts SET n = n + 1 WHERE id = {self.number} RETURNING n")[0]

    def read(self):
        return self.ask(f"SELECT n, inet_server_port() FROM counts WHERE id = {self.number}")


def write_and_read(sessions):
    """The ports of the servers that the sessions have read on."""
    ports = set()
    for _ in range(ROUNDS):
        for session in sessions:
            written = session.write()
            for _ in range(3):
                read, port = session.read()
                assert read == written, f"session {session.number} wrote {written} and read {read} on port {port}"
                ports.add(port)
    return ports


def nodes(proxy):
    with proxy.place.at(dbname="pgtandem").connect(cursor_factory=psycopg.ClientCursor) as console:
        console.prepare_threshold = None
        cursor = console.execute("SHOW NODES")
        names = [column.name for column in cursor.description]
        return {row["node"]: row for row in (dict(zip(names, values)) for values in cursor.fetchall())}


def port_of(servers, number):
    return servers.place(number).port


def test_sessions_go_on_after_a_promotion_and_a_former_primary_gets_nothing(servers, proxy):
    sessions = [Session(proxy.place, number) for number in range(1, SESSIONS + 1)]
    used = set()
    wait_for(lambda: used.update(write_and_read(sessions)) or len(used) == 3, "all servers to be read on")
    floor, = sessions[0].ask("SHOW pgtandem.floor")
    written = [session.read()[0] for session in sessions]
    servers.wait_for_replicas(1, 2, 3)

    servers.stop(1)
    servers.promote(2)
    servers.follow(3, 2)
    wait_for(lambda: [entry for entry in nodes(proxy).values() if entry["role"] == "primary" and entry["usable"] == "yes"], "the new primary to be known")

    # What they had seen they see, before and after they write; nobody was thrown out.
    assert [session.read()[0] for session in sessions] == written
    assert port_of(servers, 1) not in write_and_read(sessions)
    servers.wait_for_replicas(2, 3)
    wait_for(lambda: port_of(servers, 3) in write_and_read(sessions), "the other replica to have its share again")

    # A floor of the former timeline: carried on, and nothing older.
    with proxy.place.connect(options=f"-c pgtandem.floor={floor}", cursor_factory=psycopg.ClientCursor) as later:
        later.prepare_threshold = None
        assert later.execute("SELECT sum(n) FROM counts").fetchone()[0] >= sum(written)
        assert later.execute("SHOW pgtandem.floor").fetchone()[0].startswith("2:")

    # The former primary still says that it is one.
    servers.start(1)
    wait_for(lambda: "takes writes" in str(nodes(proxy)[servers.servers[0]]), "the former primary to be seen")
    before = servers.place(1).value("SELECT sum(n) FROM counts")
    assert port_of(servers, 1) not in write_and_read(sessions)
    assert servers.place(1).value("SELECT sum(n) FROM counts") == before
    for session in sessions:
        session.connection.close()


def test_a_replica_that_follows_nobody_any_more_gets_no_reads(servers, proxy):
    """It stays behind on the former timeline."""
    sessions = [Session(proxy.place, number) for number in range(1, SESSIONS + 1)]
    write_and_read(sessions)
    servers.wait_for_replicas(1, 2, 3)
    servers.stop(1)
    servers.promote(2)
    wait_for(lambda: [entry for entry in nodes(proxy).values() if entry["role"] == "primary" and entry["usable"] == "yes"], "the new primary to be known")
    assert write_and_read(sessions) == {port_of(servers, 2)}
    for session in sessions:
        session.connection.close()
