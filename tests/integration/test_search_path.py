"""A function of one name in two schemas, one of which writes: which of them a read means is the session's search_path."""
import psycopg
import pytest
import wire_messages as wire
from endpoint import Served
from replicas import wait_for_replicas
from tandem import wait_for
from wire_client import WireClient, errors, values

ON_REPLICA, ON_PRIMARY = True, False
READS = "-c pgtandem.route=replica -c pgtandem.consistency=eventual"
SETUP = """
CREATE SCHEMA quiet;
CREATE SCHEMA loud;
CREATE TABLE loud.calls (at timestamptz);
CREATE FUNCTION quiet.place() RETURNS bool STABLE LANGUAGE sql AS 'SELECT pg_is_in_recovery()';
CREATE FUNCTION loud.place() RETURNS bool LANGUAGE sql AS 'INSERT INTO loud.calls VALUES (now()); SELECT pg_is_in_recovery()';
CREATE ROLE quiet LOGIN PASSWORD 'secret';
CREATE ROLE loud LOGIN PASSWORD 'secret' IN ROLE quiet;
CREATE ROLE other LOGIN PASSWORD 'secret' IN ROLE quiet, loud;
GRANT USAGE ON SCHEMA quiet, loud TO public;
GRANT ALL ON loud.calls TO public;
"""


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as made:
        with made.straight.connect() as session:
            session.execute(SETUP)
        wait_for_replicas(made)
        with reader(made) as session:
            wait_for(lambda: ran_on(session, "SELECT pg_is_in_recovery()"), "the servers to be asked")
            wait_for(lambda: ran_on(session, "SELECT quiet.place()"), "the catalog to be read")
        yield made


def reader(served, path="", user=None):
    """With the primary left out of the reads; what a statement is shall say where it runs, and not how far the replicas are."""
    options = READS + (f" -c search_path={path}" if path else "")
    who = {"user": user, "password": "secret"} if user else {}
    return served.endpoint.connect(cursor_factory=psycopg.ClientCursor, options=options, **who)


def ran_on(session, query="SELECT place()"):
    return session.execute(query).fetchone()[0]


def place(session):
    """Where it runs. Who calls the one that writes is tied to its backend from then on: it is asked about."""
    may_read = session.execute("EXPLAIN (PGTANDEM) SELECT place()").fetchone() != ("Route: primary",)
    return ran_on(session) if may_read else ON_PRIMARY


def expect(session, where):
    """When a server has loaded its configuration the path is in doubt for a moment, and the primary is taken."""
    if where is ON_REPLICA:
        return wait_for(lambda: place(session) is ON_REPLICA, "the path to be known")
    assert place(session) is where


@pytest.fixture(autouse=True)
def nothing_is_tried_in_vain(request, served):
    """What a replica could not do would be asked again, of the primary: until a change is seen, and never else."""
    yield
    if request.function is not test_what_the_servers_begin_with_counts_and_may_change:
        assert [row for row in served.console("SHOW ROUTES") if row["kind"] == "again" and row["count"] != "0"] == []


@pytest.mark.parametrize("path, where", [
    ("quiet", ON_REPLICA), ("loud", ON_PRIMARY), ("quiet, public", ON_REPLICA), ("public, loud", ON_PRIMARY), ("quiet, loud", ON_PRIMARY),
    ("'quiet'", ON_REPLICA), ("E'quiet'", ON_PRIMARY), ('"quiet"', ON_REPLICA)])
def test_a_session_that_sets_its_path_is_known_by_it(served, path, where):
    with reader(served) as session:
        session.execute(f"SET search_path TO {path}")
        expect(session, where)
        session.execute("SET search_path = loud")
        expect(session, ON_PRIMARY)
        session.execute(f"SET search_path TO {path}")
        expect(session, where)


def test_each_way_to_set_it_counts(served):
    with reader(served, "loud") as session:
        expect(session, ON_PRIMARY)
        session.execute("SELECT set_config('search_path', 'quiet', false)")
        expect(session, ON_REPLICA)
        session.execute("RESET search_path")
        expect(session, ON_PRIMARY)
        session.execute("SET SCHEMA 'quiet'")
        expect(session, ON_REPLICA)
        session.execute("RESET ALL")
        expect(session, ON_PRIMARY)
    with reader(served, "quiet") as session:
        expect(session, ON_REPLICA)


def test_what_a_block_has_set_is_over_with_it(served):
    with reader(served, "quiet") as session:
        with session.transaction():
            session.execute("SET LOCAL search_path TO loud")
            expect(session, ON_PRIMARY)
        expect(session, ON_REPLICA)
        with pytest.raises(ZeroDivisionError), session.transaction():
            session.execute("SET search_path TO loud")
            raise ZeroDivisionError
        expect(session, ON_REPLICA)
        session.execute("SET search_path TO loud; SELECT 1")
        expect(session, ON_PRIMARY)


def test_a_path_that_is_on_its_way_counts(served):
    """All sent at once, each with a Sync of its own."""
    with WireClient(served.endpoint).log_in(options=f"{READS} -c search_path=quiet") as client:
        client.send(b"".join(wire.query(text) for text in ("SELECT place()", "SET search_path TO loud", "SELECT place()", "SELECT place()")))
        answers = [client.until("Z") for _ in range(4)]
        assert [errors(answer) for answer in answers] == [[]] * 4
        assert [values(answer) for answer in answers[2:]] == [[["f"]], [["f"]]]
    assert served.straight.value("SELECT count(*) FROM loud.calls") == 2


def test_a_prepared_statement_means_what_the_path_says_when_it_runs(served):
    with WireClient(served.endpoint).log_in(options=f"{READS} -c search_path=quiet") as client:
        client.send(wire.parse("SELECT place()", "named"), wire.sync())
        assert errors(client.until("Z")) == []

        def run():
            client.send(wire.bind([], "named", "", False), wire.execute("", 0), wire.sync())
            answer = client.until("Z")
            assert errors(answer) == []
            return values(answer)

        for path, wanted in (("quiet", "t"), ("quiet, loud", "f")):
            client.query(f"SET search_path TO {path}")
            wait_for(lambda wanted=wanted: run() == [[wanted]], f"what {path} means")


def test_the_role_is_what_its_own_schema_is_called_by(served):
    for user, where in (("quiet", ON_REPLICA), ("loud", ON_PRIMARY)):
        with reader(served, user=user) as session:
            expect(session, where)
    with reader(served, user="other") as session:
        with pytest.raises(psycopg.errors.UndefinedFunction):
            ran_on(session)
        session.execute("SET ROLE loud")
        expect(session, ON_PRIMARY)
        session.execute("SET ROLE quiet")
        assert place(session) is ON_PRIMARY, "who the user is now has no name here"


def test_what_was_set_for_a_role_or_a_database_counts(served):
    with served.straight.connect() as admin:
        try:
            admin.execute("ALTER ROLE other SET search_path TO loud")
            with reader(served, user="other") as session:
                expect(session, ON_PRIMARY)
            admin.execute("ALTER ROLE other IN DATABASE postgres SET search_path TO quiet")
            with reader(served, user="other") as session:
                expect(session, ON_REPLICA)
        finally:
            admin.execute("ALTER ROLE other RESET ALL")
            admin.execute("ALTER ROLE other IN DATABASE postgres RESET ALL")


def test_what_the_servers_begin_with_counts_and_may_change(served):
    """By configuration: of sessions that are there too, and only where all servers agree."""
    nodes = [served.straight.at(port=served.tandem.node_port(f"node{number}")) for number in (1, 2, 3)]

    def configure(path, *which):
        for number in which:
            with nodes[number].connect() as admin:
                # A replica takes no ALTER SYSTEM of another's; each server has its own file.
                admin.execute(f"ALTER SYSTEM SET search_path TO {path}" if path else "ALTER SYSTEM RESET search_path")
                admin.execute("SELECT pg_reload_conf()")

    with reader(served) as session:
        try:
            configure("quiet", 0, 1, 2)
            wait_for(lambda: session.execute("SELECT to_regproc('place')").fetchone()[0] and place(session) is ON_REPLICA, "quiet to be known")
            configure("loud", 2)
            wait_for(lambda: place(session) is ON_PRIMARY, "it to be known that node3 would call the other one")
            configure("quiet", 2)
            wait_for(lambda: place(session) is ON_REPLICA, "it to be known that all agree")
            configure("loud", 0, 1, 2)
            wait_for(lambda: place(session) is ON_PRIMARY, "loud to be known")
        finally:
            configure("", 0, 1, 2)
