"""Databases come and go, as test suites make and drop theirs: what the endpoint keeps open for nobody is in nobody's way."""
import psycopg
import pytest
from endpoint import SPLIT, served_for

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


def test_a_database_in_use_is_not_dropped(place):
    with place.connect() as admin:
        admin.execute("CREATE DATABASE used")
        with place.at(dbname="used").connect() as client:
            client.execute("SELECT 1")
            with pytest.raises(psycopg.errors.ObjectInUse):
                admin.execute("DROP DATABASE used")
            assert client.execute("SELECT 2").fetchone() == (2,)
        admin.execute("DROP DATABASE used")
