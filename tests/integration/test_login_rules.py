"""What pg_hba.conf says counts at the endpoint as at the server: from its load on, and whatever has become of the file since."""
import pytest
from endpoint import served_for
from login import HbaFile, in_threads, is_served, refusal
from tandem import wait_for
from wire_client import WireClient

served = served_for()
GUEST = "CREATE ROLE guest LOGIN PASSWORD 'secret'"


@pytest.fixture
def admin(served):
    with served.straight.connect() as session:
        yield session
        session.execute("DROP DATABASE IF EXISTS guest WITH (FORCE)")
        session.execute("DROP ROLE IF EXISTS guest, visitor")


@pytest.fixture
def hba(served):
    with HbaFile(served) as file:
        yield file


def as_guest(place, **more):
    return place.at(**{"user": "guest", "password": "secret", **more})


def both(served, **place):
    """How the guest is refused, straight and through the endpoint; both are asked at each look."""
    return [refusal(as_guest(where, **place)) for where in (served.straight, served.endpoint)]


@pytest.mark.parametrize("method", ["md5", "password", "trust", "scram-sha-256"])
def test_ways_to_log_in_that_pg_hba_names(served, endpoint, admin, hba, method):
    """The endpoint itself comes by the server's socket: a line for it is needed as well."""
    admin.execute("SET password_encryption TO md5")
    admin.execute(GUEST)
    hba.write(f"host all guest 127.0.0.1/32 {method}", f"local all guest {method}")
    hba.load()
    wait_for(lambda: is_served(as_guest(served.straight)) == (method != "scram-sha-256"), "the new line to count")
    for words in ({"password": "wrong"}, {"password": "secret"}, {"dbname": "no such"}):
        straight = refusal(as_guest(served.straight, **words))
        wait_for(lambda: refusal(as_guest(endpoint, **words)) == straight, f"the endpoint to say {straight}")
    assert (straight["C"], method) in [("3D000", method), ("28P01", "scram-sha-256")]


@pytest.mark.parametrize("line", ["host all guest 127.0.0.1/32 reject", "hostssl all guest all trust\nhost all guest all reject"])
def test_lines_that_refuse_have_the_servers_words(served, endpoint, admin, hba, line):
    admin.execute(GUEST)
    hba.write(line)
    hba.load()
    wait_for(lambda: not is_served(as_guest(served.straight)), "the new line to count")
    straight = refusal(as_guest(served.straight))
    wait_for(lambda: refusal(as_guest(endpoint)) == straight, f"the endpoint to say {straight}")


def forget_sessions(admin):
    """The endpoint has to look at everything anew."""
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgtandem%%'")


def test_a_fault_in_pg_hba_changes_nothing(served, endpoint, admin, hba):
    admin.execute(GUEST)
    assert both(served) == [{}, {}]
    hba.write("host all guest 127.0.0.1/32 reject", "host all all nowhere no-such-method")
    hba.load()
    assert both(served) == [{}, {}]
    forget_sessions(admin)
    assert both(served) == [{}, {}]


def test_pg_hba_counts_when_it_was_loaded(served, endpoint, admin, hba):
    admin.execute(GUEST)
    assert both(served) == [{}, {}]
    hba.write("host all guest 127.0.0.1/32 reject")
    assert both(served) == [{}, {}]
    forget_sessions(admin)
    assert both(served) == [{}, {}]
    hba.load()
    wait_for(lambda: all(both(served)), "the new line to count")


@pytest.mark.parametrize("line", ['host "all" guest all reject', 'host all "all" all reject', 'host "sameuser" guest all reject',
                                  'host all "+visitor" all reject', 'host \\\n  "all", "replication" \\\n  guest all reject'])
def test_words_in_quotes_are_names(served, endpoint, admin, hba, line):
    for statement in (GUEST, "CREATE ROLE visitor", "GRANT visitor TO guest", "CREATE DATABASE guest"):
        admin.execute(statement)
    hba.write(line, "host all nobody all reject")
    hba.load()
    nobody = served.endpoint.at(user="nobody")
    wait_for(lambda: "rejects" in refusal(nobody)["M"], "the new lines to count")
    assert both(served, dbname="guest") == [{}, {}]


def test_names_of_any_bytes_keep_nobody_out(served, endpoint, admin):
    """A role may be made in a database of any encoding: its name need not be text in the others."""
    admin.execute(GUEST)
    admin.execute("CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    try:
        with WireClient(served.straight.at(dbname="raw")).log_in(client_encoding="SQL_ASCII") as client:
            client.query(b'CREATE ROLE "\xff\xfe" ROLE guest')
            assert both(served) == [{}, {}]
            everybody = [lambda: is_served(as_guest(endpoint)), lambda: is_served(endpoint)] * 8
            assert in_threads(*everybody) == [True] * len(everybody)
            client.query(b'DROP ROLE "\xff\xfe"')
            client.terminate()
    finally:
        admin.execute("DROP DATABASE raw WITH (FORCE)")
