CREATE TEMP TABLE scratch (n int)

INSERT INTO scratch VALUES (1), (2)

SELECT n FROM scratch ORDER BY n

SELECT relpersistence FROM pg_class WHERE oid = 'scratch'::regclass

CREATE TABLE scratch (n text)

SELECT n FROM scratch ORDER BY n

SELECT n FROM temporary.scratch

DROP TABLE scratch

SELECT n FROM scratch

CREATE TEMP TABLE vanishing (n int) ON COMMIT DROP

SELECT * FROM vanishing

BEGIN

CREATE TEMP TABLE vanishing (n int) ON COMMIT DROP

INSERT INTO vanishing VALUES (1)

SELECT n FROM vanishing

COMMIT

SELECT n FROM vanishing

CREATE TEMP TABLE emptied (n int) ON COMMIT DELETE ROWS

INSERT INTO emptied VALUES (1)

SELECT count(*) FROM emptied

CREATE TEMP VIEW seen AS SELECT 5 AS five

SELECT * FROM seen

CREATE TEMP SEQUENCE passing

SELECT nextval('passing'), nextval('passing')

SELECT 1 AS one INTO TEMP fresh

SELECT * FROM fresh

CREATE FUNCTION pg_temp.double(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'

SELECT pg_temp.double(4)

SELECT to_regclass('pg_temp.fresh') IS NOT NULL

PREPARE TRANSACTION 'needs a block'

BEGIN

CREATE TEMP TABLE forbidden (n int)

PREPARE TRANSACTION 'with temp'

SELECT 1

DISCARD TEMP

SELECT * FROM fresh

CREATE FUNCTION makes_temp() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE hidden AS SELECT 42 AS answer; RETURN 1; END $$

SELECT makes_temp()

SELECT answer FROM hidden

SELECT makes_temp()

DISCARD ALL

SET search_path TO temporary

SELECT answer FROM hidden

DO $$ BEGIN EXECUTE 'CREATE TEMP TA' || 'BLE built (a int)'; END $$

SELECT count(*) FROM built
