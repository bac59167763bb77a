CREATE TABLE things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now())

INSERT INTO things (name) VALUES ('a'), ('b') RETURNING id, name

CREATE INDEX things_name ON things (name)

CREATE UNIQUE INDEX CONCURRENTLY things_lower ON things (lower(name))

ALTER TABLE things ADD COLUMN size int, ADD CHECK (size >= 0)

ALTER TABLE things RENAME COLUMN size TO bulk

ALTER TABLE things ALTER COLUMN bulk TYPE bigint

ALTER TABLE things DROP COLUMN nothing

ALTER TABLE things DROP COLUMN IF EXISTS nothing

COMMENT ON TABLE things IS 'many of them'

SELECT obj_description('things'::regclass)

CREATE VIEW names AS SELECT id, name FROM things

SELECT * FROM names ORDER BY id

CREATE OR REPLACE VIEW names AS SELECT id FROM things

ALTER TABLE things DROP COLUMN name

CREATE MATERIALIZED VIEW frozen AS SELECT count(*) AS n FROM things

REFRESH MATERIALIZED VIEW frozen

SELECT * FROM frozen

CREATE TABLE parted (n int, t text) PARTITION BY RANGE (n)

CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10)

CREATE TABLE parted_high PARTITION OF parted DEFAULT

INSERT INTO parted SELECT g, 'x' FROM generate_series(5, 14) AS g

SELECT tableoid::regclass, count(*) FROM parted GROUP BY 1 ORDER BY 1

CREATE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b

SELECT add(1), add(1, 2), add(b => 5, a => 1)

CREATE OR REPLACE FUNCTION add(a int, b int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE RETURN a + b + 1000

SELECT add(1)

CREATE FUNCTION atomic() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END

SELECT atomic()

CREATE PROCEDURE told(INOUT n int) LANGUAGE plpgsql AS $$ BEGIN n := n * 2; RAISE NOTICE 'now %', n; END $$

CALL told(21)

CREATE TRIGGER never BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION no_such_function()

CREATE FUNCTION stamped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := upper(NEW.name); RETURN NEW; END $$

CREATE TRIGGER stamps BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION stamped()

INSERT INTO things (name) VALUES ('c') RETURNING name

CREATE RULE mirrored AS ON INSERT TO parted WHERE NEW.n > 1000 DO INSTEAD NOTHING

INSERT INTO parted VALUES (2000, 'x')

CREATE SEQUENCE ticks START 10 INCREMENT 5

SELECT nextval('ticks'), nextval('ticks')

SELECT currval('ticks'), lastval()

SELECT setval('ticks', 100)

SELECT nextval('ticks'), currval('ticks')

DISCARD SEQUENCES

SELECT currval('ticks')

CREATE SEQUENCE unseen; SELECT currval('unseen')

CREATE SCHEMA ddl_inner CREATE TABLE within (a int) CREATE VIEW beside AS SELECT a FROM within

SELECT * FROM ddl_inner.beside

DROP SCHEMA ddl_inner

DROP SCHEMA ddl_inner CASCADE

CREATE TYPE colour AS ENUM ('red')

ALTER TYPE colour ADD VALUE 'green' AFTER 'red'

SELECT 'green'::colour

CREATE AGGREGATE product (int) (SFUNC = int4mul, STYPE = int, INITCOND = '1')

SELECT product(g) FROM generate_series(1, 5) AS g

CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = add)

SELECT 1 ### 2

CREATE CAST (text AS colour) WITH INOUT

CREATE STATISTICS thingstats ON id, bulk FROM things

ANALYZE things

CREATE EVENT TRIGGER bad ON nonsense EXECUTE FUNCTION stamped()

CREATE POLICY some ON things USING (id > 1)

ALTER TABLE things ENABLE ROW LEVEL SECURITY

CREATE TABLE like_things (LIKE things INCLUDING ALL)

SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = 'ddl' AND table_name = 'like_things' ORDER BY ordinal_position

EXPLAIN (COSTS off) SELECT * FROM parted WHERE n = 3

EXPLAIN (COSTS off, FORMAT json) SELECT 1

EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) INSERT INTO parted VALUES (3, 'y')

SELECT INTO

SELECT n INTO picked FROM parted WHERE n < 8

SELECT n FROM picked ORDER BY n

CREATE UNLOGGED TABLE fast (a int)

VACUUM (ANALYZE) picked

CLUSTER picked

REINDEX TABLE picked

DROP TABLE things CASCADE

DROP VIEW IF EXISTS names, frozen
