"""Ways to run code, or to reach other sessions' statements, past what the endpoint has judged: the next client of the backend sees none of it."""
import pytest
import wire_messages as wire
from endpoint import Served
from wire_client import WireClient, errors

SETUP = """CREATE TABLE IF NOT EXISTS kept (n int);
CREATE OR REPLACE FUNCTION public.folded_lock() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_advisory_lock(77); RETURN 1; END $$;
CREATE SCHEMA IF NOT EXISTS evil;
CREATE OR REPLACE FUNCTION evil.lower(text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM pg_advisory_lock(77); RETURN 'x'; END $$;"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


@pytest.fixture(scope="module")
def place():
    with Served(replicas=0, pool_size=1, threads=1) as served:
        served.straight.sql(SETUP)
        yield served.straight.at(port=served.endpoint_port)


def test_statements_of_others_are_not_reached_from_an_aborted_block(place):
    with WireClient(place).log_in() as owner, WireClient(place).log_in() as other:
        owner.send(wire.parse("SELECT 'secret'", "s1") + wire.sync())
        owner.until("Z")
        for number in range(1, 20):
            other.query("BEGIN")
            other.query("SELECT 1/0")
            assert errors(other.query(f"ROLLBACK; EXECUTE pgtandem_{number}")) == ["26000"], number
            other.query("DEALLOCATE ALL")
        owner.send(wire.bind(statement="s1") + wire.execute() + wire.sync())
        assert errors(owner.until("Z")) == []


@pytest.mark.parametrize("messages", [
    wire.parse("SELECT public.folded_lock()") + wire.bind() + wire.sync(),
    wire.query("BEGIN") + wire.query("SET search_path = evil, pg_catalog") + wire.parse("SELECT lower('x')") + wire.bind(portal="p") + wire.sync()
    + wire.query("SET search_path = pg_catalog") + wire.execute("p") + wire.sync() + wire.query("COMMIT"),
], ids=["a Bind alone", "a portal of another search_path"])
def test_a_lock_taken_so_ends_with_its_session(place, messages):
    with WireClient(place).log_in() as client:
        client.send(messages)
        client.until("Z")
        client.query("SELECT 1")
    with WireClient(place).log_in() as other:
        assert other.value(LOCKS) == "0"


def test_settings_by_set_config_do_not_break_statements_that_are_parsed_anew(place):
    with WireClient(place).log_in() as client:
        client.send(wire.parse("SELECT current_setting('app.tenant', true)", "s1") + wire.sync())
        client.until("Z")
        # The backend forgets it.
        client.query("DEALLOCATE ALL")
        client.send(wire.parse("SELECT 'again'", "s1") + wire.sync())
        client.until("Z")
        client.query("BEGIN")
        client.query("SELECT set_config('app.tenant', '42', true)")
        client.send(wire.bind(statement="s1") + wire.execute() + wire.sync())
        assert errors(client.until("Z")) == []
        client.query("COMMIT")


def test_a_query_behind_one_that_cannot_be_prepared_any_more_is_answered(place):
    with WireClient(place).log_in() as client:
        client.query("CREATE TABLE gone (n int)")
        client.send(wire.parse("SELECT * FROM gone", "s1") + wire.sync())
        client.until("Z")
        client.query("DROP TABLE gone")
        client.send(wire.query("BEGIN") + wire.query("EXECUTE s1") + wire.query("ROLLBACK"))
        for _ in range(3):
            client.until("Z")
        assert client.value("SELECT 1") == "1"
