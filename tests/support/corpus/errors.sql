SELECT 1/0

SELEKT 1

SELECT 'unterminated

SELECT * FROM no_such_table

SELECT no_such_column FROM (SELECT 1 AS a) AS t

SELECT no_such_function(1, 'x')

SELECT 1 +

SELECT $1

SELECT 'a'::int

SELECT 99999999999::int

CREATE TABLE checked (a int PRIMARY KEY, b text NOT NULL, c int CHECK (c > 0), d int UNIQUE)

INSERT INTO checked VALUES (1, 'x', 1, 1)

INSERT INTO checked VALUES (1, 'x', 1, 2)

INSERT INTO checked VALUES (2, NULL, 1, 2)

INSERT INTO checked VALUES (2, 'x', 0, 2)

INSERT INTO checked VALUES (2, 'x', 1, 1)

INSERT INTO checked (a) VALUES (1, 2)

CREATE TABLE referring (a int REFERENCES checked)

INSERT INTO referring VALUES (17)

CREATE TABLE checked (a int)

CREATE TABLE IF NOT EXISTS checked (a int)

DROP TABLE nothing

DROP TABLE IF EXISTS nothing

DROP TABLE checked

DROP TABLE checked CASCADE

--@ only simple
SELECT 1; SELECT 1/0; SELECT 2

--@ only simple
SELECT 1; SELECT 2;; SELECT 3;

--@ only simple
CREATE TABLE half (a int); INSERT INTO half VALUES (1); SELECT 1/0

SELECT to_regclass('half')

SELECT 1; SELECT 2

;

-- nothing but a comment

/* nested /* comments */ */ SELECT 'seen'

DO $$ BEGIN RAISE EXCEPTION 'of our own' USING ERRCODE = 'P7777', DETAIL = 'a detail', HINT = 'a hint', TABLE = 'a table'; END $$

DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two %', 2; RAISE INFO 'three'; RAISE LOG 'not seen'; RAISE DEBUG 'not seen'; END $$

SET client_min_messages TO error

DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$

SET client_min_messages TO debug1

DO $$ BEGIN RAISE DEBUG 'seen now'; END $$

RESET client_min_messages

CREATE FUNCTION deep(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RETURN 1/0; END IF; RETURN deep(n - 1); END $$

SELECT deep(3)

CREATE FUNCTION warned() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..3 LOOP RAISE NOTICE 'row %', i; RETURN NEXT i; END LOOP; END $$

SELECT * FROM warned()

SELECT 1 / (g - 3) FROM generate_series(1, 5) AS g

SET statement_timeout TO '30ms'

SELECT pg_sleep(60)

RESET statement_timeout

SELECT pg_terminate_backend(0)

SELECT pg_cancel_backend(pg_backend_pid())

SELECT 'alive'

LOCK TABLE pg_class

SET no_such_setting TO 1

SET work_mem TO 'a lot'

SHOW no_such_setting

ALTER SYSTEM SET no_such_setting TO 1

BEGIN; SELECT 1/0

SELECT 1

SAVEPOINT a

COMMIT

COMMIT

ROLLBACK

VACUUM

BEGIN

VACUUM

ROLLBACK

--@ bind 1
SELECT 'too many parameters'

EXECUTE never_prepared

FETCH 1 FROM no_such_cursor

RELEASE SAVEPOINT nothing

SELECT E'\xff'

SELECT 'it goes on'
