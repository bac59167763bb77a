CREATE TABLE looked (n int PRIMARY KEY, t text)

INSERT INTO looked SELECT g, 'text ' || g FROM generate_series(1, 50) AS g

ANALYZE looked

PREPARE look (int) AS SELECT t FROM looked WHERE n = $1

EXECUTE look (3)

EXECUTE look ('x')

EXECUTE look

PREPARE look AS SELECT 1

SELECT name, statement, parameter_types::text, from_sql FROM pg_prepared_statements ORDER BY name

EXPLAIN (COSTS off) EXECUTE look (3)

DEALLOCATE look

EXECUTE look (3)

DEALLOCATE look

PREPARE one AS SELECT 'one'

PREPARE two AS INSERT INTO looked VALUES ($1, $2) RETURNING *

EXECUTE two (100, 'a hundred')

EXECUTE two (100, 'again')

CREATE TABLE taken AS EXECUTE one

SELECT * FROM taken

DEALLOCATE ALL

EXECUTE one

--@ only extended
--@ name p1
--@ bind 5
SELECT t FROM looked WHERE n = $1

--@ only extended
--@ name p1
--@ bind 6

--@ only extended
--@ name p1
--@ bind six

--@ only extended
--@ name p1
--@ bind 7

--@ only extended
--@ name p1
SELECT 'the name is taken'

--@ only extended
--@ name p2
SELECT * FROM looked ORDER BY n LIMIT 2

--@ only extended
ALTER TABLE looked ADD COLUMN more int DEFAULT 4

--@ only extended
--@ name p1
--@ bind 9

--@ only extended
--@ name p3
--@ bind {null} text{space}12
SELECT n FROM looked WHERE t IS NOT DISTINCT FROM $1 OR t = $2 ORDER BY n

--@ only extended
BEGIN

--@ only extended
--@ name p4
SELECT 'made in a transaction'

--@ only extended
ROLLBACK

--@ only extended
--@ name p4

--@ only extended
BEGIN

--@ only extended
--@ name p5
SELECT nothing

--@ only extended
--@ name p4

--@ only extended
ROLLBACK

--@ only extended
--@ name p5

--@ only extended
DEALLOCATE p4

--@ only extended
--@ name p4

--@ only extended
DEALLOCATE ALL

--@ only extended
--@ name p1
--@ bind 9

--@ only extended
--@ name p1
--@ bind 11
SELECT t, more FROM looked WHERE n = $1

--@ only extended
DISCARD ALL

--@ only extended
--@ name p1
--@ bind 11

--@ only extended
--@ name insert
--@ bind 200 two{space}hundred
INSERT INTO prepared.looked (n, t) VALUES ($1, $2)

--@ only extended
--@ name insert
--@ bind 200 again

--@ only extended
--@ name insert
--@ bind 201 more
