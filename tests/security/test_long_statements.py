"""A client's long statements and many functions: what they cost is bounded, and others are served meanwhile."""
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from tandem import wait_for
from wire_client import WireClient, errors, values

A_MEGABYTE = "SELECT " + "$1," * 330_000 + "1"
BOUND = 16 << 20  # of the verdicts of one database


@pytest.fixture(scope="module")
def served():
    with Served(replicas=1) as made:
        yield made


@pytest.fixture
def proxy(served):
    with Proxy(served, threads=1) as made:
        yield made


def reason(client, statement):
    lines = [row[0] for row in values(client.query(f"EXPLAIN (PGTANDEM) {statement}"))]
    return next(line for line in lines if line.startswith("Reason: "))


def memory(proxy, name):
    with WireClient(proxy.place.at(dbname="pgtandem")).log_in() as console:
        return next(int(row[1]) for row in values(console.query("SHOW MEM")) if row[0] == name)


def test_a_long_statement_is_judged_while_others_are_served(proxy):
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        assert other.value("SELECT 1") == "1"
        assert reason(client, A_MEGABYTE) == "Reason: too_long"
        served_meanwhile = 0
        client.send(wire.query(f"EXPLAIN (PGTANDEM) {A_MEGABYTE}"))
        while client.try_receive(0.001) is None or served_meanwhile < 1:
            served_meanwhile += other.value("SELECT 1") == "1"
        client.until("Z")
        wait_for(lambda: reason(client, A_MEGABYTE) == "Reason: read", "the verdict")


def test_what_is_remembered_of_statements_is_bounded_in_bytes(proxy):
    with WireClient(proxy.place).log_in() as client:
        most = 0
        for number in range(1200):
            reason(client, f"SELECT 1 AS a{number};" * 150)
            if number % 100 == 99:
                used = memory(proxy, "verdicts")
                assert used <= BOUND
                most = max(most, used)
        assert most > BOUND // 4


def test_a_chain_of_functions_does_not_hold_up_others(proxy):
    """Of which the last one does something that all of them do therefore."""
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        made = client.query("""DO $$ BEGIN FOR i IN 1..12000 LOOP EXECUTE format('CREATE FUNCTION pg_temp.chain%s() RETURNS int STABLE LANGUAGE sql
            AS %L', 12001 - i, CASE i WHEN 1 THEN 'SELECT pg_backend_pid()' ELSE format('SELECT pg_temp.chain%s()', 12002 - i) END); END LOOP; END $$""")
        assert errors(made) == []
        client.query("CREATE TABLE made_by_chain ()")
        client.query("DROP TABLE made_by_chain")
        for _ in range(3):
            other.send(wire.query("SELECT count(*) FROM pg_class"))
            assert other.try_receive(15), "it waits for the catalog"
            other.until("Z")
