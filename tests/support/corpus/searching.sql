CREATE SCHEMA searching_a

CREATE SCHEMA searching_b

CREATE TABLE searching_a.t AS SELECT 'a' AS said

CREATE TABLE searching_b.t AS SELECT 'b' AS said

SELECT said FROM t

SET search_path TO searching_a

SELECT said FROM t

--@ name s
--@ only extended
SELECT said FROM t

SET search_path TO searching_b, searching_a

--@ name s
--@ only extended

SELECT said FROM t

PREPARE sql_s AS SELECT said FROM t

EXECUTE sql_s

SET search_path TO searching_a

EXECUTE sql_s

BEGIN

SET LOCAL search_path TO searching_b

SELECT said FROM t

EXECUTE sql_s

COMMIT

SELECT said FROM t

DEALLOCATE sql_s

CREATE FUNCTION says() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT said FROM t); END $$

SELECT says()

SET search_path TO searching_b, searching_a

SELECT says()

CREATE FUNCTION fixed() RETURNS text LANGUAGE plpgsql SET search_path TO searching_a AS $$ BEGIN RETURN (SELECT said FROM t); END $$

SELECT fixed()

DROP TABLE searching_b.t

SELECT says(), fixed()

SELECT said FROM t

SET search_path TO nowhere

SELECT said FROM t

CREATE TABLE t (a int)

SHOW search_path

DROP SCHEMA searching_a, searching_b CASCADE

SET search_path TO searching

CREATE TABLE now (a int)

SELECT * FROM now

SELECT now() IS NOT NULL

CREATE FUNCTION count(text) RETURNS text LANGUAGE sql AS $$ SELECT 'our own' $$

SELECT searching.count('x'), count(1)

CREATE FUNCTION shadow(int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('my.shadow', 'set', false); RETURN 'x'; END $$

SELECT shadow(1)

SHOW my.shadow

CREATE VIEW behind AS SELECT shadow(2) AS v

RESET my.shadow

SELECT v FROM behind

SHOW my.shadow

CREATE TABLE defaults (a int, b text DEFAULT shadow(3))

SET my.shadow TO 'mine'

INSERT INTO defaults (a) VALUES (1)

SHOW my.shadow
