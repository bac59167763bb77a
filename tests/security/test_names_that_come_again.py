"""A session belongs to the database and the role it has logged in to, not to whatever bears their names later."""
import contextlib

import psycopg
import pytest
from endpoint import Served
from tandem import wait_for


@pytest.fixture(scope="module")
def served():
    with Served(1) as made:
        hba = [made.tandem.folder / "nodes" / name / "data" / "pg_hba.conf" for name in ("node1", "node2")]
        for file in hba:
            # With a password in clear the endpoint could log in as any role of that name and password.
            file.write_text("local all plain password\nhost all plain 127.0.0.1/32 password\n" + file.read_text())
        for place in (made.straight, made.straight.at(port=made.tandem.node_port("node2"))):
            place.sql("SELECT pg_reload_conf()")
        yield made


def make_database(admin, name, content):
    admin.sql(f"CREATE DATABASE {name}")
    admin.at(dbname=name).sql(f"CREATE TABLE content AS SELECT '{content}' AS what; GRANT ALL ON content TO PUBLIC")


def leave_backends(served, database):
    with served.endpoint.at(dbname="pgtandem").connect(cursor_factory=psycopg.ClientCursor) as console:
        console.execute(f"RECONNECT {database}")
    query = """SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename !~ '^pgtandem' AND pid <> pg_backend_pid()
        AND datname = '%s'"""
    wait_for(lambda: served.straight.value(query % database) == 0, "the endpoint to have no backend there")


def drop_and_make(admin):
    admin.sql("DROP DATABASE shop WITH (FORCE)")
    make_database(admin, "shop", "of the new one")


def change_places(admin):
    """None may be in a database that is renamed: the endpoint's own session in it is ended."""
    make_database(admin, "other", "of the new one")

    def rename(one, other):
        with admin.connect() as session:
            session.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [one])
            try:
                session.execute(f"ALTER DATABASE {one} RENAME TO {other}")
            except psycopg.errors.ObjectInUse:
                return False
            return True
    wait_for(lambda: rename("shop", "former"), "the database to be renamed")
    wait_for(lambda: rename("other", "shop"), "the other one to be renamed")


@pytest.mark.parametrize("change", [drop_and_make, change_places])
def test_a_session_does_not_go_on_in_another_database_of_the_same_name(served, change):
    admin = served.straight
    for name in ("shop", "former", "other"):
        admin.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    make_database(admin, "shop", "of the former")
    shop = served.endpoint.at(dbname="shop")
    with contextlib.closing(shop.connect()) as client:
        assert client.execute("SELECT what FROM content").fetchone() == ("of the former",)
        leave_backends(served, "shop")
        change(admin)
        with pytest.raises(psycopg.OperationalError, match="terminating connection|closed"):
            print(client.execute("INSERT INTO content VALUES ('by the former session') RETURNING *").fetchall())
        assert client.closed
        # A new client is at home in the new one.
        assert shop.sql("SELECT what FROM content") == [("of the new one",)]


@pytest.mark.parametrize("user", ["plain", "scram"])
def test_a_session_does_not_go_on_as_another_role_of_the_same_name(served, user):
    admin = served.straight
    admin.sql(f"DROP ROLE IF EXISTS {user}")
    admin.sql(f"CREATE ROLE {user} LOGIN PASSWORD 'secret'")
    place = served.endpoint.at(user=user, password="secret")
    with contextlib.closing(place.connect()) as client:
        assert client.execute("SELECT current_user::text").fetchone() == (user,)
        leave_backends(served, admin.dbname)
        admin.sql(f"DROP ROLE {user}")
        admin.sql(f"CREATE ROLE {user} LOGIN SUPERUSER PASSWORD 'secret'")
        with pytest.raises(psycopg.OperationalError):
            print(client.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchall())
        assert place.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True


CHANGES = {
    "its password": ("ALTER ROLE lasting PASSWORD 'another'", "password authentication failed"),
    "its time": ("ALTER ROLE lasting VALID UNTIL '2001-01-01'", "password authentication failed"),
    "its login": ("ALTER ROLE lasting NOLOGIN", "not permitted to log in"),
    "its right to connect": ("REVOKE CONNECT ON DATABASE lasting FROM PUBLIC", "permission denied for database"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_whose_right_to_log_in_is_taken_away_goes_on_as_long_as_it_needs_no_new_backend(served, change):
    admin = served.straight
    admin.sql("DROP DATABASE IF EXISTS lasting WITH (FORCE)")
    admin.sql("DROP ROLE IF EXISTS lasting")
    admin.sql("CREATE DATABASE lasting")
    admin.sql("CREATE ROLE lasting LOGIN PASSWORD 'secret'")
    statement, words = CHANGES[change]
    place = served.endpoint.at(user="lasting", password="secret", dbname="lasting")
    with contextlib.closing(place.connect()) as client:
        client.execute("SELECT 1 /* pgtandem: primary */")
        admin.sql(statement)
        assert client.execute("SELECT 2 /* pgtandem: primary */").fetchone() == (2,)
        with pytest.raises(psycopg.OperationalError, match=words):
            place.connect()
        leave_backends(served, "lasting")
        with pytest.raises(psycopg.Error, match=words):
            client.execute("SELECT 3 /* pgtandem: primary */")


def test_where_nobody_may_ask_whose_session_it_is_sessions_are_served(served):
    admin = served.straight
    asked = "FUNCTION pg_catalog.pg_stat_get_activity(integer)"
    admin.sql("DROP DATABASE IF EXISTS closed WITH (FORCE)")
    admin.sql("CREATE DATABASE closed")
    admin.at(dbname="closed").sql(f"REVOKE EXECUTE ON {asked} FROM PUBLIC")
    admin.sql("DROP ROLE IF EXISTS ordinary")
    admin.sql("CREATE ROLE ordinary LOGIN PASSWORD 'secret'")
    assert served.endpoint.at(dbname="closed", user="ordinary", password="secret").value("SELECT 1") == 1
