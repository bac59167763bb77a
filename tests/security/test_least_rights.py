"""`pgtandem proxy` needs no superuser: the role and the grants that docs/security.md gives are enough."""
from pathlib import Path

import pytest
from plain_servers import PlainServers
from proxy import Proxy
from tandem import ROOT, wait_for


def grants_of_the_manual():
    text = (ROOT / "docs" / "security.md").read_text()
    return text.split("```sql\n")[1].split("```")[0]


@pytest.fixture(scope="module")
def proxy():
    with PlainServers(1) as servers:
        servers.straight.sql(grants_of_the_manual())
        servers.straight.sql("ALTER ROLE tandem_endpoint PASSWORD 'of the endpoint'")
        servers.straight.sql("CREATE ROLE anna LOGIN PASSWORD 'of anna'")
        servers.wait_for_replicas(1, 2)
        password = Path(servers.parent) / "endpoint.password"
        password.write_text("of the endpoint")
        with Proxy(servers, servers=servers.servers, auth_user="tandem_endpoint", auth_password_file=str(password)) as made:
            yield made


def test_an_ordinary_role_looks_up_logins_positions_and_catalogs(proxy):
    anna = proxy.place.at(user="anna", password="of anna")
    wait_for(lambda: anna.value("SELECT pg_is_in_recovery()"), "a read on the replica")
    assert anna.value("SELECT pg_is_in_recovery() /* pgtandem: primary */") is False
    assert "warning reading" not in proxy.log.read_text()
