CREATE TABLE counted AS SELECT g AS n, 'row ' || g AS t FROM generate_series(1, 20) AS g

DECLARE c CURSOR FOR SELECT 1

BEGIN

DECLARE c CURSOR FOR SELECT n, t FROM counted ORDER BY n

FETCH 3 FROM c

FETCH c

MOVE 2 IN c

FETCH FORWARD 2 FROM c

FETCH BACKWARD 1 FROM c

CLOSE c

FETCH 1 FROM c

ROLLBACK

BEGIN

DECLARE s SCROLL CURSOR FOR SELECT n FROM counted ORDER BY n

FETCH LAST FROM s

FETCH PRIOR FROM s

FETCH ABSOLUTE 3 FROM s

FETCH RELATIVE -1 FROM s

FETCH ALL FROM s

DECLARE s CURSOR FOR SELECT 1

ROLLBACK

BEGIN

DECLARE held CURSOR WITH HOLD FOR SELECT n FROM counted ORDER BY n

FETCH 2 FROM held

COMMIT

FETCH 2 FROM held

SELECT name, is_holdable, is_scrollable FROM pg_cursors WHERE name = 'held'

CLOSE held

FETCH 1 FROM held

DECLARE held2 CURSOR WITH HOLD FOR SELECT 7

FETCH ALL FROM held2

CLOSE ALL

BEGIN

DECLARE b BINARY CURSOR FOR SELECT 1::int4, 2::int8

FETCH 1 FROM b

ROLLBACK

BEGIN

DECLARE u CURSOR FOR SELECT n FROM counted FOR UPDATE

FETCH 1 FROM u

UPDATE counted SET t = 'changed' WHERE CURRENT OF u

SELECT n, t FROM counted WHERE t = 'changed'

ROLLBACK

CREATE FUNCTION opens(refcursor) RETURNS refcursor LANGUAGE plpgsql AS $$ BEGIN OPEN $1 FOR SELECT n FROM counted WHERE n < 4 ORDER BY n; RETURN $1; END $$

BEGIN

SELECT opens('of a function')

FETCH ALL FROM "of a function"

COMMIT

FETCH ALL FROM "of a function"

--@ only extended
--@ rows 7
SELECT n FROM counted ORDER BY n

--@ only extended
--@ rows 20
SELECT n FROM counted ORDER BY n

--@ only extended
--@ rows 5
SELECT n FROM counted WHERE n < 0

--@ only extended
--@ rows 2
INSERT INTO counted SELECT g, 'new' FROM generate_series(100, 104) AS g RETURNING n

--@ only extended
BEGIN

--@ only extended
--@ portal kept
--@ rows 2
SELECT n FROM counted ORDER BY n LIMIT 15

--@ only extended
FETCH 3 FROM kept

--@ only extended
--@ portal kept
SELECT 'taken already'

--@ only extended
ROLLBACK

--@ only extended
--@ portal ends
SELECT 1

--@ only extended
FETCH 1 FROM ends
