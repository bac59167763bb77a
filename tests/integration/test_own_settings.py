"""What sessions tell the endpoint itself, by SET pgtandem.* and the like: as PostgreSQL would take it, errors included."""
import pytest
import wire_messages as wire
from endpoint import Served
from wire_client import WireClient, errors, state, values


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as made:
        made.straight.sql("CREATE TABLE notes (id serial PRIMARY KEY, n int)")
        yield made


def run(text):
    """By the extended protocol, without its Sync."""
    return wire.parse(text) + wire.bind() + wire.describe("P", "") + wire.execute("", 0)


@pytest.mark.parametrize("statement, sqlstate", [
    ("SET pgtandem.route = nowhere", "22023"), ("SET pgtandem.consistency = 'total'", "22023"), ("SET pgtandem.floor = 'x'", "22023"),
    ("SET pgtandem.colour = 1", "42704"), ("SHOW pgtandem.colour", "42704"), ("SET LOCAL pgtandem.route = replica", "0A000"),
])
def test_bad_values_of_our_own_settings_are_refused(served, statement, sqlstate):
    with WireClient(served.endpoint).log_in() as client:
        assert errors(client.query(statement)) == [sqlstate]
        assert client.value("SHOW pgtandem.route") == "auto"


@pytest.mark.parametrize("first", ["INSERT INTO notes (n) VALUES (99)", "SELECT 1", ""])
@pytest.mark.parametrize("statement", ["SET pgtandem.route = nowhere", "SET LOCAL pgtandem.route = replica", "SHOW pgtandem.colour"])
def test_a_refused_statement_of_our_own_aborts_its_block(served, statement, first):
    with WireClient(served.endpoint).log_in() as client:
        client.query("BEGIN")
        if first:
            assert errors(client.query(first)) == []
        refused = client.query(statement)
        assert len(errors(refused)) == 1 and state(refused) == "E"
        assert errors(client.query("SELECT 1")) == ["25P02"]
        assert errors(client.query("SHOW pgtandem.route")) == ["25P02"]
        ended = client.query("COMMIT")
        assert [found.body for found in ended if found.kind == "C"] == [b"ROLLBACK\0"] and state(ended) == "I"
        assert values(client.query("SELECT count(*) FROM notes WHERE n = 99")) == [["0"]]


@pytest.mark.parametrize("block", [True, False])
def test_a_refused_statement_of_our_own_in_a_pipeline_ends_it(served, block):
    """Until the Sync nothing of it holds, as with any error."""
    with WireClient(served.endpoint).log_in() as client:
        if block:
            client.query("BEGIN")
        client.send(run("INSERT INTO notes (n) VALUES (98)") + run("SET pgtandem.route = nowhere") + run("SELECT 1") + wire.sync())
        answer = client.until("Z")
        assert errors(answer) == ["22023"] and state(answer) == ("E" if block else "I")
        if block:
            assert errors(client.query("SELECT 1")) == ["25P02"]
            client.query("ROLLBACK")
        client.send(run("SELECT count(*) FROM notes WHERE n = 98") + wire.sync())
        assert values(client.until("Z")) == [["0"]]


def test_a_refused_statement_of_our_own_takes_back_what_was_answered_before_the_sync(served):
    with WireClient(served.endpoint).log_in() as client:
        client.send(run("INSERT INTO notes (n) VALUES (97)") + wire.flush())
        client.until("C")
        client.send(run("SET pgtandem.route = nowhere") + wire.sync())
        assert errors(client.until("Z")) == ["22023"]
        assert values(client.query("SELECT count(*) FROM notes WHERE n = 97")) == [["0"]]


def test_our_own_settings_by_the_extended_protocol_and_reset(served):
    with served.endpoint.connect() as session:
        session.prepare_threshold = 0
        session.execute("SET pgtandem.route = 'replica'")
        for _ in range(3):
            assert session.execute("SHOW pgtandem.route").fetchone() == ("replica",)
        session.execute("DISCARD ALL")
        assert session.execute("SHOW pgtandem.route", prepare=False).fetchone() == ("auto",)


def test_a_reset_goes_back_to_what_the_session_began_with(served):
    with WireClient(served.endpoint).log_in(options="-c pgtandem.route=replica -c pgtandem.consistency=strict") as client:
        for reset in ("DISCARD ALL", "RESET ALL", "RESET pgtandem.route; RESET pgtandem.consistency"):
            for statement in ("SET pgtandem.route = 'primary'", "SET pgtandem.consistency = 'eventual'", *reset.split("; ")):
                assert errors(client.query(statement)) == []
            assert client.value("SHOW pgtandem.route") == "replica" and client.value("SHOW pgtandem.consistency") == "strict"
