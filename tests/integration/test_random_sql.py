"""Random SQL, of sqlsmith's making, through an endpoint that splits: what it is told is what the server tells straight, the endpoint
lives, and nothing that writes was tried on a replica."""
import pytest
from endpoint import Served
from replicas import wait_for_replicas
from smith import PASSWORD, ROLE, make_database, made
from wire_client import WireClient, errors

TIMEOUT = "57014"
CLIENT_STATEMENTS = 4
# Who reads everywhere finds more that goes to a replica; that it is not far behind is another test's affair.
OPTIONS = "-c statement_timeout=1000 -c pgtandem.route=replica"


def told(place, statements):
    """Of each statement: its errors, and its rows and tag. A client that was pinned by one of them reads on the primary from then on."""
    answers = []
    for begin in range(0, len(statements), CLIENT_STATEMENTS):
        with WireClient(place).log_in(options=OPTIONS) as client:
            for text in statements[begin:begin + CLIENT_STATEMENTS]:
                answer = client.query(text)
                answers.append((errors(answer), [message.body for message in answer if message.kind in "DC"]))
    return answers


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as cluster:
        make_database(cluster)
        yield cluster


@pytest.mark.parametrize("seed, count", [(1, 300), pytest.param(2, 3000, marks=pytest.mark.long), pytest.param(3, 3000, marks=pytest.mark.long)])
def test_random_statements_are_answered_as_straight(served, seed, count):
    at = {"user": ROLE, "password": PASSWORD}
    statements = made(served.straight.at(dbname="smith", **at), seed, count)
    assert len(statements) > count * 0.75
    for name in ("first", "second", "through"):
        served.straight.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        served.straight.sql(f"CREATE DATABASE {name} TEMPLATE smith OWNER {ROLE}")
    wait_for_replicas(served)
    up = served.tandem.up_process()
    # What differs from one straight run to the other says nothing.
    first, second = (told(served.straight.at(dbname=name, **at), statements) for name in ("first", "second"))
    through = told(served.endpoint.at(dbname="through", **at), statements)

    compared = [(text, wanted, found) for text, wanted, again, found in zip(statements, first, second, through, strict=True)
                if wanted == again and TIMEOUT not in found[0]]
    others = [f"-- straight: {str(wanted)[:1000]}\n-- endpoint: {str(found)[:1000]}\n{text[:3000]}" for text, wanted, found in compared if wanted != found]
    assert not others, f"{len(others)} of {len(compared)} differ:\n" + "\n\n".join(others[:5])
    assert len(compared) > len(statements) * 0.9

    assert served.tandem.up_process() == up
    reads = {row["name"]: int(row["count"]) for row in served.console("SHOW ROUTES") if row["database"] == "through" and row["kind"] == "read"}
    print(f"{len(compared)} of {len(statements)} compared, {sum(bool(wanted[0]) for _, wanted, _ in compared)} errors; reads: {reads}")
    assert reads["replica"] > count * 0.1
    for node in ("node2", "node3"):
        text = "".join(path.read_text(errors="replace") for path in (served.tandem.folder / "nodes" / node / "log").glob("*.log"))
        assert "read-only transaction" not in text and "during recovery" not in text
