"""Who may log in: the endpoint lets in and refuses whom the server would, in the same words, at once after each change."""
import contextlib
import struct

import psycopg
import pytest
import wire_messages as wire
from endpoint import Served, served_for
from login import in_threads, is_served, refusal
from psycopg import sql
from tandem import wait_for
from wire_client import Closed, WireClient, errors

served = served_for()
PASSWORD = "a pass'word"
ORDINARY = f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'"
# What is wrong, statements that make it so, and where it is asked for.
REFUSALS = {
    "wrong password": ([ORDINARY], {"password": "wrong"}),
    "no password given": ([ORDINARY], {"password": ""}),
    "role without a password": (["CREATE ROLE guest LOGIN"], {}),
    "unknown role": ([], {"user": "nobody at all"}),
    "NOLOGIN": ([ORDINARY, "ALTER ROLE guest NOLOGIN"], {}),
    "NOLOGIN and a wrong password": ([ORDINARY, "ALTER ROLE guest NOLOGIN"], {"password": "wrong"}),
    "VALID UNTIL in the past": ([ORDINARY, "ALTER ROLE guest VALID UNTIL '2001-01-01'"], {}),
    "VALID UNTIL minus infinity": ([ORDINARY, "ALTER ROLE guest VALID UNTIL '-infinity'"], {}),
    "unknown database": ([ORDINARY], {"dbname": "no such database"}),
    "unknown database and a wrong password": ([ORDINARY], {"dbname": "no such database", "password": "wrong"}),
    "database with a long name": ([ORDINARY], {"dbname": "d" * 100}),
    "role with a long name": ([], {"user": "r" * 100}),
    "no CONNECT": ([ORDINARY, "REVOKE CONNECT ON DATABASE closed FROM PUBLIC"], {"dbname": "closed"}),
    "ALLOW_CONNECTIONS false": ([ORDINARY, "ALTER DATABASE closed ALLOW_CONNECTIONS false"], {"dbname": "closed"}),
    "no CONNECT and ALLOW_CONNECTIONS false": ([ORDINARY, "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
                                                "ALTER DATABASE closed ALLOW_CONNECTIONS false"], {"dbname": "closed"}),
    "role CONNECTION LIMIT 0": ([ORDINARY, "ALTER ROLE guest CONNECTION LIMIT 0"], {}),
    "role CONNECTION LIMIT 0 and an unknown database": ([ORDINARY, "ALTER ROLE guest CONNECTION LIMIT 0"], {"dbname": "no such"}),
    "database CONNECTION LIMIT 0": ([ORDINARY, "ALTER DATABASE closed CONNECTION LIMIT 0"], {"dbname": "closed"}),
    "both limits": ([ORDINARY, "ALTER ROLE guest CONNECTION LIMIT 0", "ALTER DATABASE closed CONNECTION LIMIT 0"],
                    {"dbname": "closed"}),
    "renamed role by its old name": ([ORDINARY, "ALTER ROLE guest RENAME TO visitor"], {}),
    "dropped role": ([ORDINARY, "DROP ROLE guest"], {}),
}
LETTING_IN = {
    "superuser despite CONNECTION LIMIT": [ORDINARY, "ALTER ROLE guest SUPERUSER CONNECTION LIMIT 0"],
    "VALID UNTIL to come": [ORDINARY, "ALTER ROLE guest VALID UNTIL 'infinity'"],
    "member of the database's owner": [ORDINARY, "CREATE ROLE visitor", "GRANT visitor TO guest",
                                       "REVOKE CONNECT ON DATABASE closed FROM PUBLIC", "ALTER DATABASE closed OWNER TO visitor"],
    "CONNECT by a group": [ORDINARY, "CREATE ROLE visitor", "GRANT visitor TO guest",
                           "REVOKE CONNECT ON DATABASE closed FROM PUBLIC", "GRANT CONNECT ON DATABASE closed TO visitor"],
}


@pytest.fixture(scope="module", autouse=True)
def closed(served):
    served.straight.sql("CREATE DATABASE closed")


@pytest.fixture
def admin(served):
    """A session to change roles with; all roles and the database are as before at the end."""
    with served.straight.connect() as session:
        yield session
        session.execute("ALTER DATABASE closed ALLOW_CONNECTIONS true CONNECTION LIMIT -1")
        session.execute("ALTER DATABASE closed OWNER TO CURRENT_USER")
        session.execute("GRANT CONNECT ON DATABASE closed TO PUBLIC")
        session.execute("ALTER DATABASE closed RESET ALL")
        for role in ("guest", "visitor"):
            if session.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is not None:
                session.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                session.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def run_all(admin, statements):
    for statement in statements:
        admin.execute(statement)


def as_guest(place, **more):
    return place.at(**{"user": "guest", "password": PASSWORD, **more})


@pytest.mark.parametrize("name", REFUSALS)
def test_the_endpoint_refuses_in_the_servers_words(served, endpoint, admin, name):
    statements, place = REFUSALS[name]
    run_all(admin, statements)
    straight = refusal(as_guest(served.straight, **place))
    assert straight["S"] == "FATAL"
    assert refusal(as_guest(endpoint, **place)) == straight


@pytest.mark.parametrize("name", LETTING_IN)
def test_the_endpoint_lets_in_whom_the_server_does(place, admin, name):
    run_all(admin, LETTING_IN[name])
    assert is_served(as_guest(place, dbname="closed"))


@pytest.fixture
def fresh(admin):
    """The name of a database that nobody has been in."""
    admin.execute("CREATE DATABASE fresh")
    yield "fresh"
    admin.execute("DROP DATABASE fresh WITH (FORCE)")


@pytest.mark.parametrize("what", ["ROLE guest", "DATABASE fresh"])
def test_a_connection_limit_counts_those_who_are_there(place, admin, fresh, what):
    run_all(admin, [ORDINARY, f"ALTER {what} CONNECTION LIMIT 2"])
    guest = as_guest(place, dbname=fresh)
    with WireClient(guest).log_in() as first, WireClient(guest).log_in() as second:
        assert refusal(guest)["M"] == f"too many connections for {what.lower().split()[0]} \"{what.split()[1]}\""
        assert first.value("SELECT 1") == second.value("SELECT 1") == "1"
        first.terminate()
        wait_for(lambda: is_served(guest), "the place of the one who left")


@pytest.mark.parametrize("limit", ["ALTER DATABASE fresh CONNECTION LIMIT 2", ""])
def test_nobody_is_in_the_way_who_has_left(place, admin, fresh, limit):
    """Backends that are kept for a role that has gone do not count against another one. The endpoint has one more, to look."""
    run_all(admin, [ORDINARY, "CREATE ROLE visitor LOGIN PASSWORD 'v'", limit or "SELECT"])
    for user, password in [("guest", PASSWORD), ("visitor", "v"), ("guest", PASSWORD)]:
        with WireClient(place.at(dbname=fresh, user=user, password=password)) as client:
            wait_for(lambda: is_served(client.place), "the one before to be gone")


def test_with_several_threads_nobody_is_in_the_way_who_has_left():
    """Each thread has backends of its own, and another one's free ones take places of the limit too."""
    with Served(threads=3) as served:
        served.straight.sql("CREATE ROLE guest LOGIN PASSWORD 'g' CONNECTION LIMIT 3")
        guest = served.endpoint.at(user="guest", password="g")
        for _ in range(30):
            with WireClient(guest).log_in() as client:
                assert client.value("SELECT 'served'") == "served"
                client.terminate()


def test_a_changed_password_counts_at_once(place, admin):
    admin.execute(ORDINARY)
    with WireClient(as_guest(place)).log_in() as earlier:
        for number in range(3):
            admin.execute(f"ALTER ROLE guest PASSWORD 'new {number}'")
            assert refusal(as_guest(place, password=PASSWORD if number == 0 else f"new {number - 1}"))["C"] == "28P01"
            assert is_served(as_guest(place, password=f"new {number}"))
        assert earlier.value("SELECT session_user") == "guest"


def test_a_role_made_anew_gets_nothing_of_the_one_before(place, admin):
    """Whoever has the name now is somebody else than who had it when backends were opened."""
    run_all(admin, [ORDINARY, "DROP TABLE IF EXISTS secret", "CREATE TABLE secret AS SELECT 1", "GRANT SELECT ON secret TO guest"])
    with WireClient(as_guest(place)).log_in() as first:
        assert first.value("SELECT count(*) FROM secret") == "1"
        first.terminate()
    run_all(admin, ["ALTER ROLE guest RENAME TO visitor", ORDINARY])
    with as_guest(place).connect() as second:
        assert second.execute("SELECT current_user, session_user").fetchone() == ("guest", "guest")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            second.execute("SELECT * FROM secret")
    assert is_served(as_guest(place, user="visitor"))
    assert place.at(user="visitor", password=PASSWORD).value("SELECT count(*) FROM secret") == 1


@pytest.mark.parametrize("statement", ["ALTER ROLE guest SET work_mem TO '{}MB'", "ALTER DATABASE closed SET work_mem TO '{}MB'",
                                       "ALTER ROLE guest IN DATABASE closed SET work_mem TO '{}MB'"])
def test_settings_of_roles_and_databases_are_those_of_new_sessions(place, admin, statement):
    admin.execute(ORDINARY)
    guest = as_guest(place, dbname="closed")
    with WireClient(guest).log_in() as earlier:
        before = earlier.value("SHOW work_mem")
        for number in (11, 12):
            admin.execute(statement.format(number))
            with WireClient(guest).log_in() as later:
                assert later.value("SHOW work_mem") == f"{number}MB"
                later.query("SET work_mem TO '20MB'")
                later.query("RESET work_mem")
                assert later.value("SHOW work_mem") == f"{number}MB"
                assert earlier.value("SHOW work_mem") == before
                later.terminate()


@pytest.mark.parametrize("options, name, value", [
    ("-c work_mem=5MB", "work_mem", "5MB"),
    ("-c search_path=\"a\\ b\",pg_catalog -c geqo=off", "search_path", '"a b",pg_catalog'),
    ("--statement-timeout=7s", "statement_timeout", "7s"),
    ("-c odd.word=here", "odd.word", "here")])
def test_startup_options_are_taken(place, options, name, value):
    with WireClient(place).log_in(options=options) as client:
        assert client.value(f"SHOW {name}") == value
        client.query(f"SET {name} TO DEFAULT")
        assert client.value(f"SHOW {name}") == value


def greeting(place, **parameters):
    """What a client is told from when it is let in until it may ask, but for what is each session's own."""
    with WireClient(place).log_in(**parameters) as client:
        told = [message for message in client.transcript if message.kind not in "RK"]
    of_source = "FLR"
    fields = [{key: value for key, value in wire.error_fields(message.body).items() if key not in of_source} for message in told if message.kind == "N"]
    return [message.kind for message in told], fields, [message.body for message in told if message.kind == "S"]


NAMES = ["", "app", "x" * 65, "é" * 40]


@pytest.mark.parametrize("parameters", [{"application_name": name} for name in [*NAMES, "tab\there"]] +
                         [{"options": f"-c application_name={name}"} for name in NAMES], ids=str)
def test_the_greeting_is_the_servers(served, endpoint, parameters):
    """Each setting once, and the notice that a name is cut."""
    wanted = greeting(served.straight, **parameters)
    assert greeting(endpoint, **parameters) == wanted
    assert greeting(endpoint, **parameters) == wanted, "of the second client of its kind too"


@pytest.mark.parametrize("parameters", [{"options": "-c no_such_setting=1"}, {"work_mem": "much"}, {"no_such_setting": "1"},
                                        {"client_encoding": "KLINGON"}, {"options": "-c shared_buffers=1"}, {"options": "-Z"},
                                        {"replication": "perhaps"}], ids=str)
def test_faulty_startup_parameters_are_refused_as_by_the_server(served, endpoint, parameters):
    straight = refusal(served.straight, **parameters)
    assert straight["S"] == "FATAL"
    assert refusal(endpoint, **parameters) == straight
    assert is_served(endpoint)


def begun_with(place, *pairs):
    """The SQLSTATE of a refusal, or what the session has of it."""
    pairs = [("user", place.user), ("database", place.dbname), *pairs]
    with WireClient(place) as client:
        client.send(wire.untyped(wire.PROTOCOL_3_0, b"".join(wire.text(name) + wire.text(value) for name, value in pairs) + b"\0"))
        if (first := client.receive()).kind == "E":
            return wire.error_fields(first.body)["C"]
        client.send(client.sasl_initial_response())
        client.send(wire.message("p", client.scram.final(client.expect_authentication(11))))
        client.expect_authentication(12)
        end = client.until("Z", "E")[-1]
        if end.kind == "E":
            return wire.error_fields(end.body)["C"]
        # A session for replication knows other statements; the physical one has no database.
        system = errors(client.query("IDENTIFY_SYSTEM"))
        sql_works = errors(client.query("SELECT 1"))
        return system, sql_works, None if sql_works else client.value("SELECT concat_ws(';', current_database(), current_setting('DateStyle'), current_setting('work_mem'))")


TWICE = [[("DateStyle", "German"), ("DateStyle", "ISO, YMD")], [("DateStyle", "ISO, YMD"), ("DateStyle", "German")],
         [("datestyle", "SQL"), ("DateStyle", "German")], [("DateStyle", "German"), ("datestyle", "SQL")],
         [("database", "none"), ("database", "postgres")], [("database", "postgres"), ("database", "none")],
         [("options", "-c work_mem=3MB"), ("options", "-c DateStyle=German")], [("options", "-c work_mem=3MB"), ("options", "")],
         [("work_mem", "no"), ("work_mem", "3MB")], [("replication", "database"), ("replication", "off")],
         [("replication", "off"), ("replication", "database")], [("replication", "database"), ("replication", "on")],
         [("replication", "x"), ("replication", "off")]]


@pytest.mark.parametrize("pairs", TWICE, ids=str)
def test_of_a_startup_parameter_that_is_given_twice_the_last_counts(served, endpoint, pairs):
    assert begun_with(endpoint, *pairs) == begun_with(served.straight, *pairs)


@pytest.mark.parametrize("value", ["TRUE", "t", "tr", "Y", "yes", "on", "o", "1", "11", "F", "fal", "n", "No", "OFF", "of", "0", "", "DATABASE", "truer"])
def test_replication_is_asked_for_in_any_of_the_servers_ways(served, endpoint, value):
    assert begun_with(endpoint, ("replication", value)) == begun_with(served.straight, ("replication", value))


def test_the_client_encoding_of_the_startup_message_is_taken(place):
    with WireClient(place).log_in(client_encoding="LATIN1", DateStyle="German") as client:
        assert (client.parameters["client_encoding"], client.parameters["DateStyle"]) == ("LATIN1", "German, DMY")
        row = next(found for found in client.query("SELECT U&'\\00E9'") if found.kind == "D")
        assert row.body.endswith(b"\xe9")


@pytest.mark.parametrize("name", ["With Capitals", "ünïcödé", "quo\"te'd", "semi;colon", "-dash", "all", "a,b", "tab\there", "=x y"])
def test_roles_and_databases_of_strange_names(place, admin, name):
    role, database = sql.Identifier(name), sql.Identifier(name)
    admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD)))
    try:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(database))
        stranger = place.at(user=name, password=PASSWORD, dbname=name)
        with WireClient(stranger).log_in() as client:
            assert client.value("SELECT current_database() || session_user") == name + name
            client.terminate()
        assert refusal(stranger.at(password="wrong"))["M"] == f"password authentication failed for user \"{name}\""
    finally:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


def negotiated(place, version, **parameters):
    with WireClient(place) as client:
        named = {"user": place.user, "database": place.dbname, **parameters}
        client.send(wire.startup(named, version))
        first = client.receive()
        client.transcript.clear()
        told = None
        if first.kind == "v":
            newest, count = struct.unpack_from("!ii", first.body)
            told = (newest & 0xffff, first.body[8:].split(b"\0")[:count])
            first = client.receive()
        assert first.kind == "R"
    return told


def test_options_of_the_protocol_that_are_unknown_are_told(place):
    assert negotiated(place, wire.PROTOCOL_3_0) is None
    assert negotiated(place, wire.PROTOCOL_3_0, **{"_pq_.a": "1", "_pq_.b c": ""}) == (0, [b"_pq_.a", b"_pq_.b c"])


def test_the_newest_protocol_has_long_cancel_keys(endpoint):
    assert negotiated(endpoint, wire.PROTOCOL_3_2) is None
    assert negotiated(endpoint, wire.PROTOCOL_3_2 + 7) == (2, [])
    assert negotiated(endpoint, wire.PROTOCOL_3_2, **{"_pq_.a": "1"}) == (2, [b"_pq_.a"])
    with WireClient(endpoint) as client:
        client.send(wire.startup({"user": endpoint.user, "database": endpoint.dbname}, wire.PROTOCOL_3_2))
        client.authenticate()
        assert len(client.key) == 32 and client.value("SELECT 1") == "1"
    with WireClient(endpoint).log_in() as client:
        assert len(client.key) == 4


def test_a_limit_holds_for_those_who_come_at_once(place, admin):
    run_all(admin, [ORDINARY, "ALTER ROLE guest CONNECTION LIMIT 3"])
    clients = []

    def log_in():
        with contextlib.suppress(AssertionError, Closed):
            clients.append(WireClient(as_guest(place)).log_in())
    in_threads(*[log_in] * 12)
    assert len(clients) <= 3
    for client in clients:
        assert client.value("SELECT 1") == "1"
        client.terminate()
    wait_for(lambda: is_served(as_guest(place)), "the places of those who left")
