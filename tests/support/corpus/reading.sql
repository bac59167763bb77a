CREATE TABLE orders (id int PRIMARY KEY, customer int, amount numeric(10, 2), placed date)

INSERT INTO orders SELECT g, g % 7, g * 1.25, date '2024-01-01' + g FROM generate_series(1, 200) AS g

SELECT customer, count(*), sum(amount) FROM orders GROUP BY customer ORDER BY customer

SELECT customer, sum(amount) FROM orders GROUP BY ROLLUP (customer) ORDER BY customer NULLS LAST

SELECT id, rank() OVER (PARTITION BY customer ORDER BY amount DESC) FROM orders WHERE id < 20 ORDER BY id

WITH RECURSIVE up(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM up WHERE n < 5) SELECT * FROM up

SELECT * FROM orders WHERE id = ANY (ARRAY[3, 5, 7]) ORDER BY id

VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC

TABLE orders ORDER BY id LIMIT 2 OFFSET 3

SELECT o.id, n.n FROM orders AS o CROSS JOIN LATERAL (SELECT o.id * 2 AS n) AS n WHERE o.id < 4 ORDER BY 1

SELECT DISTINCT ON (customer) customer, id FROM orders ORDER BY customer, id

SELECT id FROM orders WHERE id < 3 UNION SELECT customer FROM orders EXCEPT SELECT 4 ORDER BY 1

SELECT EXISTS (SELECT FROM orders WHERE id = 5), (SELECT max(id) FROM orders), 1 IN (SELECT 2)

SELECT id FROM orders ORDER BY id FETCH FIRST 2 ROWS WITH TIES

UPDATE orders SET amount = amount + 1 WHERE id BETWEEN 1 AND 3 RETURNING id, amount

DELETE FROM orders WHERE id = 200

DELETE FROM orders WHERE id = 200

INSERT INTO orders VALUES (1, 0, 0, 'today') ON CONFLICT (id) DO UPDATE SET amount = excluded.amount RETURNING id, amount

INSERT INTO orders VALUES (1, 0, 0, 'today') ON CONFLICT DO NOTHING

WITH moved AS (UPDATE orders SET customer = 100 WHERE id < 4 RETURNING id) SELECT count(*) FROM moved

SELECT customer, json_agg(id ORDER BY id) FROM orders WHERE customer = 100 GROUP BY 1

SELECT 'one'
'continued'

SELECT 1 AS "select", 2 AS "from"

SELECT CASE WHEN id > 2 THEN 'big' ELSE 'small' END, coalesce(NULL, 'x'), nullif(1, 1) FROM orders WHERE id < 4 ORDER BY id

SELECT substring('PostgreSQL' FROM 5 FOR 3), overlay('abc' PLACING 'x' FROM 2), position('c' IN 'abc'), trim(both 'x' FROM 'xax')

SELECT extract(year FROM date '2024-05-06'), date_trunc('month', timestamp '2024-05-06'), age(date '2024-05-06', date '2020-01-01')

SELECT regexp_matches('foobarbaz', 'b(.)', 'g')

SELECT generate_series(1, 3), unnest(ARRAY['a', 'b'])

SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['x', 'y', 'z'])) AS t (a, b)

SELECT version() LIKE 'PostgreSQL%', current_database() IS NOT NULL

SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = pg_backend_pid()

SELECT pg_backend_pid() = pg_backend_pid()

SELECT * FROM orders TABLESAMPLE bernoulli (0) REPEATABLE (1)

--@ bind 3 5
--@ only extended
SELECT id FROM orders WHERE id BETWEEN $1 AND $2 ORDER BY id

--@ bind {null}
--@ only extended
SELECT $1::text IS NULL

--@ bind a{space}b
--@ only extended
--@ binary
SELECT $1::text, length($1)

SELECT count(*) FROM generate_series(1, 100000)

SELECT repeat('long ', 20000) FROM generate_series(1, 5)

CREATE TABLE wide AS SELECT 1 AS a, repeat('w', 70000) AS b

SELECT b FROM wide UNION ALL SELECT b FROM wide
