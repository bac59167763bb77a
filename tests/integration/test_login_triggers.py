"""Event triggers on login, which PostgreSQL has since version 17: each client meets them as straight, and pgtandem's own sessions do not."""
import psycopg
import pytest
from endpoint import Served
from plain_servers import PlainServers
from proxy import Proxy
from tandem import VERSION, wait_for

pytestmark = pytest.mark.skipif(VERSION < 17, reason="event triggers on login are new in PostgreSQL 17")

TRIGGER = """CREATE TABLE logins (who text);
CREATE FUNCTION at_login() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
    IF session_user = 'unwanted' THEN RAISE 'unwanted'; END IF;
    IF NOT pg_catalog.pg_is_in_recovery() THEN INSERT INTO public.logins VALUES (session_user); END IF;
    PERFORM set_config('my.login', 'seen', false);
END$$;
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION at_login();
GRANT SELECT, INSERT ON logins TO PUBLIC"""


@pytest.fixture(scope="module")
def servers():
    with PlainServers(1) as made:
        made.straight.sql("CREATE ROLE unwanted LOGIN PASSWORD 'x'; CREATE ROLE member LOGIN PASSWORD 'x'")
        made.straight.sql("CREATE DATABASE watched")
        made.straight.at(dbname="watched").sql(TRIGGER)
        made.wait_for_replicas(1, 2)
        yield made


@pytest.fixture(scope="module")
def proxy(servers):
    with Proxy(servers, servers=servers.servers, threads=1, pool_size=1) as made:
        yield made


@pytest.fixture(params=["straight", "endpoint"])
def watched(servers, proxy, request):
    place = servers.straight if request.param == "straight" else proxy.place
    return place.at(dbname="watched")


def test_the_trigger_has_run_for_each_client(servers, watched):
    for _ in range(3):
        servers.straight.at(dbname="watched").sql("TRUNCATE logins")
        with watched.at(user="member", password="x").connect() as client:
            assert client.execute("SELECT current_setting('my.login', true)").fetchone() == ("seen",)
            assert client.execute("SELECT count(*) FROM logins WHERE who = 'member'").fetchone() == (1,)
            client.execute("RESET ALL")


def test_a_client_that_the_trigger_refuses_is_not_let_in(watched):
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError, match="unwanted"):
            watched.at(user="unwanted", password="x").connect()


def test_a_trigger_that_is_made_later_counts_for_the_next_client(servers, proxy):
    servers.straight.sql("CREATE DATABASE later")
    straight, endpoint = (place.at(dbname="later") for place in (servers.straight, proxy.place))
    assert endpoint.value("SELECT 1") == 1
    endpoint.sql("CREATE ROLE refused_later LOGIN PASSWORD 'x'")
    refused = endpoint.at(user="refused_later", password="x")
    assert refused.value("SELECT 1") == 1
    straight.sql(TRIGGER.replace("'unwanted'", "'refused_later'"))

    def is_refused():
        try:
            refused.connect().close()
        except psycopg.OperationalError:
            return True
        return False
    wait_for(is_refused, "the trigger to refuse the client")
    for _ in range(3):
        assert endpoint.value("SELECT current_setting('my.login', true)") == "seen"


def test_sessions_of_pgtandem_run_no_trigger():
    with Served(replicas=1) as served:
        refusal = """CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN
                IF session_user IN ('pgtandem', 'pgtandem_catalog') THEN RAISE 'refused'; END IF;
            END$$;
            CREATE EVENT TRIGGER refuse ON login EXECUTE FUNCTION refuse()"""
        for database in {"postgres", served.straight.dbname}:
            served.straight.at(dbname=database).sql(refusal)
        served.tandem.ok("down")
        served.tandem.up()
        served.tandem.assert_proven(1)
        assert served.endpoint.value("SELECT 1") == 1
        assert "reading the catalog" not in (served.tandem.folder / "log/pgtandem.log").read_text()
