"""Random statements of sqlsmith's making, about a database that has some of everything."""
import re
import subprocess

from tandem import environment

ROLE, PASSWORD = "smith", "of the test"
# What tells of the connection, which is the endpoint's own; and chance, which would make the databases differ.
LEFT_OUT = re.compile(r"\b(inet_(server|client)_\w+|pg_backend_pid|pg_is_in_recovery|\w*random\w*)\(")
SAMPLE = re.compile(r"tablesample (system|bernoulli) \([\d.]+\)")
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
-- Rows without an order come as they are planned: that is not to change from one run to the next.
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm') LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name);
    END LOOP;
END $$;
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


def make_database(served):
    served.straight.sql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    served.straight.sql(f"CREATE DATABASE smith OWNER {ROLE}")
    served.straight.at(dbname="smith", user=ROLE, password=PASSWORD).sql(SETUP)
