"""One server with a replica, and endpoints of one backend before it: fixtures for conversations that are compared with the server's own."""
import base64
import contextlib
import hashlib
import hmac
import time
from pathlib import Path

import pytest
import wire_messages as wire
from conversation import DEADLINE, Impatient, differences, play
from plain_servers import PlainServers
from proxy import Proxy
from tandem import wait_for
from wire_client import errors

ENDPOINTS = {"primary": {"split": False}, "split": {"split": True}}
# Reads go to the replica wherever they may, and see what was written by whomever.
PARAMETERS = {"primary": {}, "split": {"options": "-c pgtandem.route=replica -c pgtandem.consistency=strict"}}


@pytest.fixture(params=ENDPOINTS)
def kind(request):
    return request.param


def q(sql):
    return wire.query(sql)


def run(statement="", parameters=(), portal=""):
    return wire.bind(parameters, statement, portal) + wire.execute(portal)


def cases(table):
    return pytest.mark.parametrize("case", table.values(), ids=table.keys())


class SideBySide:
    def __init__(self, servers, proxies):
        self.servers = servers
        self.proxies = proxies
        self.straight = servers.straight

    def prepare(self, place, setup):
        """Through the endpoint too, so that it knows of the tables."""
        if setup:
            with Impatient(place).log_in() as client:
                answer = client.query(setup)
                assert errors(answer) == [], answer
                client.terminate()

    def complaints(self, kind, steps, setup="", deadline=DEADLINE):
        """What is told otherwise through this endpoint; and both runs."""
        place = self.proxies[kind].place
        self.prepare(self.straight, setup)
        wanted = play(self.straight, steps, parameters=PARAMETERS[kind])
        self.prepare(place, setup)
        seen = play(place, steps, wanted.counts, deadline, PARAMETERS[kind])
        found = [*differences(steps, wanted, seen), *self.unanswered(place)]
        if found:
            self.start_anew(kind)
        return found, wanted, seen

    def start_anew(self, kind):
        """What one conversation has done to the endpoint is not told of the next."""
        self.proxies[kind].process.kill()
        self.proxies[kind].process.wait()
        self.proxies[kind].start()
        self.end_backends()

    def unanswered(self, place, deadline=DEADLINE):
        """A client that comes after all others have left."""
        try:
            with Impatient(place) as client:
                client.patience = deadline
                client.log_in()
                client.send(wire.query("SELECT 'a fresh client is answered'"))
                found = client.try_receive(deadline)
                if found and found.kind == "T":
                    return []
                return [f"a fresh client is told {found}"]
        except AssertionError as why:
            return [f"a fresh client is refused: {why}"]

    def parameters(self, kind):
        return PARAMETERS[kind]

    def answered(self, kind, client, until, *messages):
        """All messages up to this kind; where they do not come in time, the endpoint is started anew."""
        client.send(*messages)
        end = time.monotonic() + DEADLINE
        found = []
        while not found or found[-1].kind != until:
            if not (one := client.try_receive(max(end - time.monotonic(), 0))):
                self.start_anew(kind)
                raise AssertionError(f"no answer after {DEADLINE} s; so far: {found}")
            found.append(one)
        return found

    def open_transactions(self):
        """On the servers, but for those of endpoints themselves."""
        listed = """SELECT state, query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                 AND state <> 'idle' AND application_name NOT LIKE 'pgtandem%'"""
        return [row for number in (1, 2) for row in self.servers.place(number).sql(listed)]

    def expected(self, steps, setup):
        """What the server itself tells the first client."""
        self.prepare(self.straight, setup)
        return play(self.straight, steps).told[0]

    def end_backends(self):
        """Those of the endpoints' clients; the next statement gets a new one."""
        listed = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'pgtandem%'"
        for number in (1, 2):
            place = self.servers.place(number)
            place.sql(f"SELECT pg_terminate_backend(pid) {listed}")
            wait_for(lambda place=place: place.value(f"SELECT count(*) {listed}") == 0, "the backends to end")

    def agree(self, kind, steps, setup=""):
        complaints, _, _ = self.complaints(kind, steps, setup)
        assert not complaints, "\n".join(complaints)

    def processor_seconds(self, kind):
        """What the endpoint's process has used so far."""
        fields = Path(f"/proc/{self.proxies[kind].process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


def quick_verifier(password):
    """Of one iteration: there are thousands of logins."""
    salt = b"salt of the test"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    coded = [base64.b64encode(part).decode() for part in (salt, stored, hmac.digest(salted, b"Server Key", "sha256"))]
    return f"SCRAM-SHA-256$1:{coded[0]}${coded[1]}:{coded[2]}"


def side_by_side(pool_size=1, **settings):
    """A module's fixture."""
    @pytest.fixture(scope="module")
    def both():
        with contextlib.ExitStack() as opened:
            servers = opened.enter_context(PlainServers(1))
            servers.straight.sql(f"ALTER ROLE postgres PASSWORD '{quick_verifier(servers.straight.password)}'")
            servers.wait_for_replicas(1, 2)
            places = [f"127.0.0.1:{servers.place(number).port}" for number in (1, 2)]
            # What a client that stays away holds is free again soon.
            shared = {"threads": 1, "query_wait_timeout_ms": 3000, "pool_size": pool_size, **settings}
            proxies = {kind: opened.enter_context(Proxy(servers, port=servers.port + 4 + number, servers=places, **shared, **more))
                       for number, (kind, more) in enumerate(ENDPOINTS.items())}
            yield SideBySide(servers, proxies)
    return both
