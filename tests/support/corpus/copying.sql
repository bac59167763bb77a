CREATE TABLE copied (n int, t text, d date DEFAULT '2024-01-01')

--@ copy 1\tone\t2024-02-29
--@ copy 2\t\\N\t\\N
--@ copy 3\ta\\tb\\\\c\t2000-01-01
COPY copied FROM STDIN

COPY copied TO STDOUT

COPY (SELECT n, t FROM copied ORDER BY n DESC) TO STDOUT WITH (FORMAT csv, HEADER, NULL 'nothing')

--@ copy n,t
--@ copy 4,"four, quoted ""inside"""
--@ copy 5,
COPY copied (n, t) FROM STDIN WITH (FORMAT csv, HEADER)

SELECT * FROM copied ORDER BY n

COPY (SELECT n, t FROM copied ORDER BY n) TO STDOUT WITH (FORMAT binary)

--@ copy 6\tsix\t2024-01-01
--@ copy seven\tseven\t2024-01-01
COPY copied FROM STDIN

--@ copy 6\tsix
COPY copied FROM STDIN

--@ copy 6\tsix\t2024-01-01\tmore
COPY copied FROM STDIN

--@ copy 6\tsix\t2024-01-01
--@ fail the client is tired
COPY copied FROM STDIN

SELECT count(*) FROM copied

COPY copied FROM STDIN

COPY copied FROM STDIN WITH (FORMAT nonsense)

COPY nowhere FROM STDIN

COPY copied TO '/nonexistent/folder/file'

COPY copied (n) FROM PROGRAM 'echo 77'

COPY (SELECT n FROM copied WHERE n = 77) TO STDOUT

BEGIN

--@ copy 8\teight\t2024-01-01
COPY copied FROM STDIN

SELECT count(*) FROM copied

ROLLBACK

BEGIN

--@ copy x\teight\t2024-01-01
COPY copied FROM STDIN

SELECT 'refused'

ROLLBACK

--@ only simple
--@ copy 9\tnine\t2024-01-01
COPY copied FROM STDIN; SELECT count(*) FROM copied; COPY (SELECT 'after') TO STDOUT; SELECT 'last'

--@ only simple
--@ copy 10\tten\t2024-01-01
COPY copied FROM STDIN; COPY copied FROM STDIN; SELECT count(*) FROM copied

--@ copy 11\televen\t2024-01-01
--@ copy \\.
COPY copied FROM STDIN

SELECT count(*) FROM copied WHERE n = 11

COPY (SELECT g, repeat('x', g) FROM generate_series(1, 400) AS g) TO STDOUT

COPY (SELECT 1/(g - 50) FROM generate_series(1, 100) AS g) TO STDOUT

CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'copying %', NEW.n; RETURN NEW; END $$

CREATE TRIGGER shouts BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION shout()

--@ copy 12\ttwelve\t2024-01-01
--@ copy 13\tthirteen\t2024-01-01
COPY copied FROM STDIN

COPY (DELETE FROM copied WHERE n > 11 RETURNING n) TO STDOUT

COPY (SELECT 1) TO STDOUT (FORMAT csv, DELIMITER ';', FORCE_QUOTE *)
