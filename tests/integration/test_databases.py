"""Databases come and go, as test suites make and drop theirs: what the endpoint keeps open for nobody is in nobody's way."""
import contextlib

import psycopg
import pytest
from endpoint import SPLIT, served_for
from tandem import wait_for

served = served_for(SPLIT)


def use(place, name):
    """A client that comes, writes, reads and leaves. Its backends stay for the next one."""
    with place.at(dbname=name).connect() as client:
        client.execute("CREATE TABLE things AS SELECT 1 AS n")
        for _ in range(20):
            assert client.execute("SELECT n FROM things").fetchall() == [(1,)]


@pytest.mark.parametrize("spelt", ["DROP DATABASE dropped", 'drop database if exists "dropped"', "/* a comment */ DROP DATABASE dropped;"])
@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_a_database_is_dropped_once_its_clients_have_left(place, spelt, protocol):
    with place.connect(**{} if protocol == "extended" else {"cursor_factory": psycopg.ClientCursor}) as admin:
        for _ in range(3):
            admin.execute("CREATE DATABASE dropped")
            use(place, "dropped")
            admin.execute(spelt)
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            place.at(dbname="dropped").connect()


def test_a_database_is_copied_and_renamed(place):
    with place.connect() as admin:
        admin.execute("CREATE DATABASE original")
        use(place, "original")
        admin.execute("CREATE DATABASE copied TEMPLATE = original")
        assert place.at(dbname="copied").sql("SELECT n FROM things") == [(1,)]
        use_again = place.at(dbname="original").sql("SELECT n FROM things")
        admin.execute("ALTER DATABASE original RENAME TO renamed")
        assert place.at(dbname="renamed").sql("SELECT n FROM things") == use_again
        for name in ("renamed", "copied"):
            admin.execute(f"DROP DATABASE {name}")


def test_a_client_that_leaves_while_a_drop_waits_is_waited_for(place):
    """As by the server, for five seconds."""
    with place.connect() as admin:
        admin.execute("CREATE DATABASE awaited")
        use(place, "awaited")
        client = place.at(dbname="awaited").connect()
        client.execute("CREATE TEMP TABLE kept (a int)")
        # It is asked to leave before and is gone after, at some moment of the other's waiting.
        client.close()
        admin.execute("DROP DATABASE awaited")


def is_ended(client):
    try:
        client.execute("SELECT 1")
    except psycopg.OperationalError as error:
        return str(error)
    return None


@pytest.mark.parametrize("keeps", ["backends", "none"])
def test_the_clients_of_a_database_dropped_by_force_are_ended(served, place, keeps):
    """Idle ones too, whether they have a backend at the moment or not."""
    with place.connect() as admin, contextlib.ExitStack() as undo:
        admin.execute("CREATE DATABASE forced")
        clients = [undo.enter_context(contextlib.closing(place.at(dbname="forced").connect())) for _ in range(4)]
        for client in clients:
            client.execute("SELECT 1")
        clients[0].execute("CREATE TEMP TABLE mine (a int)")
        clients[1].execute("BEGIN")
        clients[1].execute("SELECT 1")
        if keeps == "none" and place != served.straight:
            with served.endpoint.at(dbname="pgtandem").connect(cursor_factory=psycopg.ClientCursor) as console:
                console.execute("RECONNECT forced")
        admin.execute("DROP DATABASE forced WITH (FORCE)")
        told = [wait_for(lambda client=client: is_ended(client), "the client to be ended") for client in clients]
        assert all("terminating connection due to administrator command" in text or "closed" in text for text in told), told
        assert all(client.closed for client in clients)
        admin.execute("CREATE DATABASE forced")
        use(place, "forced")
        admin.execute("DROP DATABASE forced")


def test_sessions_of_a_role_that_may_not_log_in_any_more_go_on(place):
    """As far as there are backends of that role: new ones cannot be opened."""
    with place.connect() as admin, contextlib.ExitStack() as undo:
        admin.execute("CREATE ROLE barred LOGIN PASSWORD 'secret'")
        client = undo.enter_context(contextlib.closing(place.at(user="barred", password="secret").connect()))
        assert client.execute("SELECT current_user").fetchone() == ("barred",)
        for change in ("NOLOGIN", "LOGIN CONNECTION LIMIT 0"):
            admin.execute(f"ALTER ROLE barred {change}")
            assert client.execute("SELECT current_user").fetchone() == ("barred",)
            with pytest.raises(psycopg.OperationalError, match="not permitted to log in|too many connections for role"):
                place.at(user="barred", password="secret").connect()
        admin.execute("DROP ROLE barred")
        assert client.execute("SELECT 1").fetchone() == (1,)


def test_a_database_in_use_is_not_dropped(place):
    with place.connect() as admin:
        admin.execute("CREATE DATABASE used")
        with place.at(dbname="used").connect() as client:
            client.execute("SELECT 1")
            with pytest.raises(psycopg.errors.ObjectInUse):
                admin.execute("DROP DATABASE used")
            assert client.execute("SELECT 2").fetchone() == (2,)
        admin.execute("DROP DATABASE used")
