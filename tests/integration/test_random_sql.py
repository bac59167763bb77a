"""Random SQL, of sqlsmith's making, through an endpoint that splits: what it is told is what the server tells straight, the endpoint
lives, and nothing that writes was tried on a replica."""
import os
import re
import subprocess

import pytest
from endpoint import Served
from replicas import wait_for_replicas
from tandem import environment
from wire_client import WireClient, errors

ROLE, PASSWORD = "smith", "of the test"
TIMEOUT = "57014"
CLIENT_STATEMENTS = 4
# What tells of the connection, which is the endpoint's own; and chance, which would make the databases differ.
LEFT_OUT = re.compile(r"\b(inet_(server|client)_\w+|pg_backend_pid|pg_is_in_recovery|\w*random\w*)\(")
SAMPLE = re.compile(r"tablesample (system|bernoulli) \([\d.]+\)")
# Who reads everywhere finds more that goes to a replica; that it is not far behind is another test's affair.
OPTIONS = "-c statement_timeout=1000 -c pgtandem.route=replica"
SETUP = """
CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'unnamed', price numeric(10, 2), made timestamptz, tags text[], more jsonb);
CREATE TABLE orders (id int PRIMARY KEY, item int REFERENCES items, amount int CHECK (amount > 0), placed date, note varchar(20));
CREATE TABLE parts (id bigint, whole int, weight float8, code char(4), mark bit(8), place point) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_high PARTITION OF parts DEFAULT;
CREATE VIEW dear AS SELECT * FROM items WHERE price > 50;
CREATE VIEW locked AS SELECT * FROM orders WHERE amount > 2 FOR UPDATE;
CREATE MATERIALIZED VIEW sums AS SELECT item, sum(amount) AS amount FROM orders GROUP BY item;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION counted(int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM orders WHERE item = $1';
CREATE FUNCTION noted(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO items (name) VALUES ($1); RETURN 1; END $$;
INSERT INTO items SELECT n, 'item ' || n, n * 1.5, '2020-01-01'::timestamptz + n * interval '1 day', ARRAY['a', 'b' || n], jsonb_build_object('n', n) FROM generate_series(1, 60) AS n;
INSERT INTO orders SELECT n, n % 60 + 1, n % 5 + 1, '2021-01-01'::date + n, 'order ' || n FROM generate_series(1, 200) AS n;
INSERT INTO parts SELECT n, n % 7, n / 3.0, 'c' || n % 90, (n % 256)::bit(8), point(n, n) FROM generate_series(1, 200) AS n;
REFRESH MATERIALIZED VIEW sums;
ANALYZE;
"""


def made(place, seed, count):
    """So many random statements about what the database holds. sqlsmith only looks at the catalog."""
    target = f"host={place.host} port={place.port} user={place.user} password='{place.password}' dbname={place.dbname}"
    words = ["sqlsmith", f"--target={target}", f"--seed={seed}", f"--max-queries={count}", "--exclude-catalog", "--dry-run"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment(), cwd="/tmp")
    assert done.returncode == 0, done.stderr
    statements = [SAMPLE.sub("", text).strip() for text in re.split(r";\s*\n", done.stdout)]
    return [text for text in statements if text and not LEFT_OUT.search(text)]


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
    with Served(replicas=2) as made:
        made.straight.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        made.straight.sql(f"CREATE DATABASE smith OWNER {ROLE}")
        made.straight.at(dbname="smith", user=ROLE, password=PASSWORD).sql(SETUP)
        yield made


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
    others = [f"{text}\n-- straight: {wanted}\n-- endpoint: {found}"[:3000] for text, wanted, found in compared if wanted != found]
    assert not others, f"{len(others)} of {len(compared)} differ:\n" + "\n\n".join(others[:5])
    assert len(compared) > len(statements) * 0.9

    assert served.tandem.up_process() == up
    reads = {row["name"]: int(row["count"]) for row in served.console("SHOW ROUTES") if row["database"] == "through" and row["kind"] == "read"}
    print(f"{len(compared)} of {len(statements)} compared, {sum(bool(wanted[0]) for _, wanted, _ in compared)} errors; reads: {reads}")
    assert reads["replica"] > count * 0.1
    for node in ("node2", "node3"):
        text = "".join(path.read_text(errors="replace") for path in (served.tandem.folder / "nodes" / node / "log").glob("*.log"))
        assert "read-only transaction" not in text and "during recovery" not in text
