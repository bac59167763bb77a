"""Whether a role exists is not to be told from how a login begins: salt, iterations and method are the server's own, over restarts too."""
import base64
import struct

import pytest
import wire_messages as wire
from login import HbaFile
from endpoint import served_for
from proxy import Proxy
from tandem import wait_for
from wire_client import WireClient

served = served_for()
# Who is there without a password that counts, and who is not there.
ROLES = {"no_password": "", "expired": "PASSWORD 'x' VALID UNTIL '2001-01-01'", "nologin": "NOLOGIN PASSWORD 'x'", "known": "PASSWORD 'x'", "team": "NOLOGIN"}
NAMES = [*ROLES, "nobody", "nobody_else", "n" * 63, "ünknown"]


@pytest.fixture(scope="module")
def roles(served):
    with served.straight.connect() as admin:
        for name, words in ROLES.items():
            admin.execute(f"CREATE ROLE {name} LOGIN {words}" if "NOLOGIN" not in words else f"CREATE ROLE {name} {words}")
        admin.execute("SET password_encryption = 'md5'")
        admin.execute("CREATE ROLE old LOGIN PASSWORD 'x'")
        yield admin


def beginning(place, user):
    """The method asked for; with SCRAM also salt and iterations."""
    with WireClient(place.at(user=user, password="wrong")) as client:
        client.begin()
        found = client.receive()
        code = struct.unpack_from("!i", found.body)[0] if found.kind == "R" else wire.error_fields(found.body)["C"]
        if code != 10:
            return code
        client.send(client.sasl_initial_response())
        parts = dict(part.split("=", 1) for part in client.expect_authentication(11).decode().split(","))
        assert len(base64.b64decode(parts["s"])) == 16
        return code, parts["s"], parts["i"]


def test_every_role_looks_as_it_looks_straight(served, endpoint, roles):
    for name in [*NAMES, "old"]:
        assert beginning(endpoint, name) == beginning(served.straight, name), name


def test_the_same_by_every_process_and_every_time(served, endpoint, roles):
    first = [beginning(served.straight, name) for name in NAMES]
    for _ in range(2):
        with Proxy(served) as proxy:
            assert [beginning(proxy.place, name) for name in NAMES] == first


@pytest.mark.parametrize("encryption", ["md5", "scram-sha-256"])
def test_where_md5_is_allowed_the_servers_password_encryption_decides_for_the_unknown(served, endpoint, roles, encryption):
    with HbaFile(served) as file:
        roles.execute(f"ALTER SYSTEM SET password_encryption = '{encryption}'")
        try:
            file.write("host all +known 127.0.0.1/32 md5", "host all all 127.0.0.1/32 md5")
            file.load()
            for name in [*NAMES, "old"]:
                wait_for(lambda name=name: beginning(endpoint, name) == beginning(served.straight, name), f"{name} to look as straight")
            assert beginning(endpoint, "old") == 5
            assert (beginning(endpoint, "nobody") == 5) == (encryption == "md5")
        finally:
            roles.execute("ALTER SYSTEM RESET password_encryption")


def test_the_servers_iterations_are_those_of_the_unknown(served, endpoint, roles):
    if roles.info.server_version < 160000:
        pytest.skip("scram_iterations came with PostgreSQL 16")
    with HbaFile(served) as file:
        roles.execute("ALTER SYSTEM SET scram_iterations = 20000")
        try:
            file.load()
            wait_for(lambda: beginning(endpoint, "nobody") == beginning(served.straight, "nobody"), "the iterations to count")
            assert beginning(endpoint, "nobody")[2] == "20000"
        finally:
            roles.execute("ALTER SYSTEM RESET scram_iterations")
