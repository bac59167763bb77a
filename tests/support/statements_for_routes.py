"""Statements for a primary with replicas, and where each may run: what the split is tried with.

SETUP is run once, by a superuser, in a database of its own; {host} and {port}, in the statements too, are the primary's own.
A statement tagged "write" writes, locks, has side effects, changes its session or answers differently from node to node: it must never
run on a replica. One tagged "read" is harmless: it gives on a replica what it gives on the primary. Those of IN_TRANSACTION need BEGIN
before them.
"""

SETUP = """
CREATE EXTENSION dblink; CREATE EXTENSION postgres_fdw; CREATE EXTENSION file_fdw;
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION tsm_system_rows;
CREATE SCHEMA other;
CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10, 2), tags text[], made timestamptz DEFAULT now(), doc jsonb);
INSERT INTO items SELECT i, 'item ' || i, i * 1.5, ARRAY['a', 'b'], '2026-01-01', '{"a": 1}' FROM generate_series(1, 50) i;
CREATE TABLE marks (note text);
CREATE UNLOGGED TABLE counters (n int); INSERT INTO counters VALUES (1);
CREATE SEQUENCE numbers;
CREATE TABLE keyed (id int GENERATED ALWAYS AS IDENTITY, a text);
CREATE TABLE parts (a int, b int) PARTITION BY LIST (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1, 2);
CREATE TABLE mixed (a int) PARTITION BY LIST (a);
CREATE TABLE mixed_1 PARTITION OF mixed FOR VALUES IN (1); CREATE UNLOGGED TABLE mixed_2 PARTITION OF mixed FOR VALUES IN (2);
CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
CREATE FUNCTION writer(int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN INSERT INTO public.marks VALUES (''writer''); RETURN $1; END';
CREATE FUNCTION writer() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO marks VALUES (''writer''); SELECT 1';
CREATE FUNCTION writer(int, int) RETURNS int LANGUAGE sql STABLE AS 'SELECT $1 + $2';
CREATE FUNCTION writers() RETURNS SETOF int LANGUAGE sql VOLATILE AS 'INSERT INTO marks VALUES (''writers'') RETURNING 1';
CREATE FUNCTION steady(int) RETURNS int LANGUAGE sql STABLE AS 'SELECT count(*)::int + $1 FROM items';
CREATE FUNCTION pure(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION pure_loop(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'DECLARE s int := 0; BEGIN FOR i IN 1..$1 LOOP s := s + i; END LOOP; RETURN s; END';
CREATE FUNCTION defaulted(a int, b int DEFAULT 2, VARIADIC c int[] DEFAULT '{}') RETURNS int LANGUAGE sql STABLE AS 'SELECT a + b + cardinality(c)';
CREATE FUNCTION locking_default(a bool DEFAULT pg_try_advisory_lock(79)) RETURNS bool LANGUAGE sql STABLE AS 'SELECT a';
CREATE FUNCTION other.steady(text) RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO marks VALUES ($1); SELECT 1';
CREATE FUNCTION other.hidden() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO marks VALUES (''hidden''); SELECT 1';
CREATE FUNCTION other.clean(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE FUNCTION locker() RETURNS bool LANGUAGE sql STABLE AS 'SELECT pg_try_advisory_lock(77)';
CREATE FUNCTION far_writer() RETURNS text LANGUAGE plpgsql STABLE AS $$BEGIN RETURN dblink_exec('host={host} port={port} dbname=' || current_database(), 'INSERT INTO marks VALUES (''far'')'); END$$;
CREATE FUNCTION through() RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN RETURN locker(); END';
CREATE FUNCTION setter() RETURNS text LANGUAGE sql STABLE AS 'SELECT set_config(''routes.a'', ''b'', false)';
CREATE FUNCTION counter_reader() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM counters';
CREATE FUNCTION activity_reader() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM pg_stat_activity';
CREATE FUNCTION dynamic() RETURNS bool LANGUAGE plpgsql STABLE AS 'DECLARE r bool; BEGIN EXECUTE ''SELECT pg_try_advisory_lock(78)'' INTO r; RETURN r; END';
CREATE FUNCTION row_name(items) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.name';
CREATE FUNCTION row_write(items) RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO marks VALUES (''row''); SELECT 1';
CREATE PROCEDURE doer() LANGUAGE sql AS 'INSERT INTO marks VALUES (''doer'')';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION noisy_add(int, int) RETURNS int LANGUAGE plpgsql VOLATILE AS 'BEGIN INSERT INTO marks VALUES (''add''); RETURN $1 + $2; END';
CREATE AGGREGATE noisy_total(int) (SFUNC = noisy_add, STYPE = int, INITCOND = '0');
CREATE OPERATOR |+| (LEFTARG = int, RIGHTARG = int, FUNCTION = noisy_add);
CREATE OPERATOR |+# (LEFTARG = int, RIGHTARG = int, FUNCTION = int4pl);
CREATE TYPE pair AS (a int, b int);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE VIEW plain_view AS SELECT id, upper(name) AS name FROM items WHERE price > 10;
CREATE VIEW nested_view AS SELECT * FROM plain_view;
CREATE VIEW writing_view AS SELECT writer(1) AS w;
CREATE VIEW nested_writing_view AS SELECT w + 1 AS w FROM writing_view;
CREATE VIEW counter_view AS SELECT n FROM counters;
CREATE VIEW locking_view AS SELECT id FROM items FOR SHARE;
CREATE VIEW nested_locking_view AS SELECT id FROM locking_view;
CREATE VIEW activity_view AS SELECT pid FROM pg_stat_activity;
CREATE VIEW sequence_view AS SELECT last_value FROM numbers;
CREATE VIEW operator_view AS SELECT 1 |+| 2 AS n;
CREATE VIEW hiding_view AS SELECT other.hidden() AS h;
CREATE MATERIALIZED VIEW stored AS SELECT n, writer(n) FROM counters;
CREATE TABLE guarded (a int); INSERT INTO guarded VALUES (1); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (locker());
CREATE TABLE tenants (a int); ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON tenants USING (a::text = current_setting('routes.tenant', true));
CREATE TABLE logged (a int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO marks VALUES (''note''); RETURN NULL; END';
CREATE TRIGGER t AFTER INSERT ON logged EXECUTE FUNCTION note();
CREATE VIEW ruled AS SELECT 1 AS a; CREATE RULE r AS ON INSERT TO ruled DO INSTEAD INSERT INTO marks VALUES ('rule');
CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname 'nowhere');
CREATE USER MAPPING FOR CURRENT_USER SERVER here;
CREATE FOREIGN TABLE far (note text) SERVER here OPTIONS (table_name 'marks');
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE lines (line text) SERVER files OPTIONS (filename '/etc/hostname');
CREATE VIEW far_view AS SELECT * FROM far;
CREATE TABLE other.items (a int);
CREATE UNLOGGED TABLE other.counted (a int);
SELECT nextval('numbers');
ANALYZE;
"""

# Where a call may stand; {} is the call.
PLACES = [
    "SELECT {}", "SELECT 1 WHERE {} IS NOT NULL", "SELECT id FROM items ORDER BY {}::text, id", "SELECT count(*) FROM items GROUP BY {}",
    "SELECT count(*) FROM items HAVING {} IS NOT NULL", "SELECT * FROM (SELECT {} AS x) s", "SELECT (SELECT {})",
    "SELECT s.x FROM items, LATERAL (SELECT {} AS x) s WHERE id = 1", "WITH w AS (SELECT {} AS x) SELECT x FROM w",
    "WITH w AS MATERIALIZED (SELECT {} AS x) SELECT 1 FROM w", "VALUES (1), (({})::text::int)" , "SELECT ARRAY[{}]", "SELECT ROW({}, 1)",
    "SELECT CASE WHEN {} IS NULL THEN 1 ELSE 2 END", "SELECT coalesce({}, NULL)", "SELECT nullif({}, NULL)", "SELECT greatest({}, {})",
    "SELECT {} IN ({}, {})", "SELECT {} = ANY (ARRAY[{}])", "SELECT {} BETWEEN {} AND {}", "SELECT EXISTS (SELECT {})",
    "SELECT ({})::text COLLATE \"C\"", "SELECT max(({})::text) FILTER (WHERE {} IS NOT NULL) FROM items",
    "SELECT count(*) OVER (PARTITION BY {} ORDER BY id) FROM items WHERE id = 1", "SELECT string_agg(name, ',' ORDER BY {}::text) FROM items",
    "SELECT 1 UNION ALL SELECT 2 FROM items WHERE {} IS NULL", "SELECT xmlelement(NAME a, {})", "SELECT format('%s', VARIADIC ARRAY[{}])",
    "SELECT items.id FROM items JOIN parent ON {} IS NULL", "SELECT DISTINCT ON ({}::text) id FROM items WHERE id = 1", "SELECT to_json({})",
    "EXPLAIN SELECT {}", "EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off) SELECT {}", "COPY (SELECT {}) TO STDOUT", "SELECT 1; SELECT {}; SELECT 2",
    "/* pgtandem */ SELECT {} -- end",
]

WRITING_CALLS = ["writer(1)", "public.writer(1)", "writer()", "(writer(1) + steady(1))", "nextval('numbers')", "other.hidden()"]
READING_CALLS = ["steady(1)", "pure(2)", "writer(1, 2)", "other.clean(3)"]

WRITES = """
INSERT INTO marks VALUES ('a')
INSERT INTO marks DEFAULT VALUES RETURNING note
INSERT INTO logged VALUES (1)
INSERT INTO ruled VALUES (1)
INSERT INTO keyed (a) VALUES ('a')
UPDATE items SET price = price WHERE id = 1
DELETE FROM marks
TRUNCATE marks
MERGE INTO items i USING (SELECT 1 AS id) s ON i.id = s.id WHEN MATCHED THEN UPDATE SET price = 2
WITH w AS (INSERT INTO marks VALUES ('w') RETURNING note) SELECT * FROM w
WITH w AS (UPDATE items SET price = price WHERE id = 1 RETURNING id) SELECT * FROM w
WITH w AS (DELETE FROM marks RETURNING *) SELECT count(*) FROM w
WITH r AS (SELECT 1 AS a) INSERT INTO logged SELECT a FROM r
SELECT * FROM items WHERE id = 1 FOR UPDATE
SELECT * FROM items WHERE id = 1 FOR NO KEY UPDATE
SELECT * FROM items WHERE id = 1 FOR SHARE
SELECT * FROM items WHERE id = 1 FOR KEY SHARE SKIP LOCKED
SELECT * FROM (SELECT * FROM items FOR UPDATE) s WHERE id = 1
WITH w AS (SELECT id FROM items WHERE id = 1 FOR UPDATE) SELECT * FROM w
SELECT 1 AS a INTO TEMP made_by_select
SELECT 1 AS a INTO made_by_select
CREATE TABLE made (a int)
CREATE TABLE made_as AS SELECT 1 AS a
CREATE TEMP TABLE temp_made (a int)
CREATE VIEW made_view AS SELECT 1 AS a
CREATE INDEX made_index ON items (name)
CREATE OR REPLACE FUNCTION made_function() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE ROLE routes_made
DROP ROLE IF EXISTS routes_made
DROP TABLE IF EXISTS made, made_as, made_by_select
DROP VIEW IF EXISTS made_view
ALTER TABLE items ALTER COLUMN name SET STATISTICS 10
ALTER SEQUENCE numbers RESTART
COMMENT ON TABLE items IS 'a'
GRANT SELECT ON items TO public
REVOKE SELECT ON items FROM public
ANALYZE items
VACUUM items
REINDEX TABLE items
CLUSTER items USING items_pkey
CHECKPOINT
REFRESH MATERIALIZED VIEW stored
COPY marks FROM STDIN
COPY items TO '/dev/null'
COPY items TO PROGRAM 'cat >/dev/null'
COPY (SELECT writer(1)) TO STDOUT
COPY (DELETE FROM marks RETURNING *) TO STDOUT
COPY counters TO STDOUT
DO $$BEGIN PERFORM 1; END$$
CALL doer()
NOTIFY routes
NOTIFY routes, 'a'
LISTEN routes
UNLISTEN *
SELECT pg_notify('routes', 'a')
SELECT pg_advisory_lock(1), pg_advisory_unlock(1)
SELECT pg_try_advisory_lock(1)
SELECT pg_advisory_unlock_all()
SELECT pg_advisory_xact_lock(2)
SELECT pg_try_advisory_xact_lock_shared(2)
SELECT locker()
SELECT through()
SELECT dynamic()
SELECT locking_default()
SELECT far_writer()
SELECT setter()
SELECT counter_reader()
SELECT activity_reader()
SELECT dblink_exec('host={host} port={port} dbname=' || current_database(), 'INSERT INTO marks VALUES (''dblink'')')
SELECT * FROM dblink('host={host} port={port} dbname=' || current_database(), 'SELECT 1') AS t (a int)
SELECT set_config('routes.a', 'b', false)
SELECT set_config('routes.a', 'b', true)
SELECT setseed(0.5)
SET work_mem = '5MB'
SET routes.a = 'b'
RESET work_mem
RESET routes.a
SET LOCAL work_mem = '5MB'
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE
SET CONSTRAINTS ALL DEFERRED
DISCARD PLANS
PREPARE routes_p AS SELECT 1
EXECUTE routes_p
EXPLAIN EXECUTE routes_p
DEALLOCATE routes_p
LOAD 'plpgsql'
SELECT nextval('numbers')
SELECT setval('numbers', 10)
SELECT currval('numbers')
SELECT lastval()
SELECT last_value FROM numbers
SELECT * FROM numbers
SELECT * FROM sequence_view
SELECT * FROM pg_sequences
SELECT pg_sequence_last_value('numbers'::regclass)
SELECT * FROM counters
SELECT * FROM public.counters c JOIN items i ON i.id = c.n
SELECT * FROM counter_view
SELECT * FROM mixed
SELECT a FROM other.counted
SELECT * FROM lines
SELECT * FROM far LIMIT 0
SELECT * FROM far_view WHERE false
SELECT * FROM writing_view
SELECT * FROM nested_writing_view
SELECT * FROM locking_view
SELECT * FROM nested_locking_view
SELECT * FROM operator_view
SELECT * FROM hiding_view
SELECT count(*) FROM guarded
SELECT 1 |+| 2
SELECT 1 OPERATOR(public.|+|) 2
SELECT id FROM items WHERE id |+| 1 = 2
SELECT 1 WHERE (1 |+| 2) = ANY (ARRAY[3])
SELECT noisy_total(id) FROM items
SELECT noisy_total(id) OVER () FROM items
SELECT * FROM writers()
SELECT * FROM ROWS FROM (generate_series(1, 2), writers()) AS r (a, b)
SELECT writers()
SELECT row_write(i) FROM items i WHERE id = 1
SELECT i.row_write FROM items i WHERE id = 1
SELECT (i).row_write FROM items i WHERE id = 1
SELECT * FROM items TABLESAMPLE bernoulli (writer(1))
SELECT * FROM items LIMIT writer(1)
SELECT * FROM items OFFSET writer(1)
SELECT other.steady('a')
SELECT lo_create(0)
SELECT lo_creat(-1)
SELECT lo_from_bytea(0, 'a')
SELECT txid_current()
SELECT pg_current_xact_id()
SELECT txid_current_snapshot()
SELECT pg_current_snapshot()
SELECT pg_export_snapshot()
SELECT pg_backend_pid()
SELECT pg_terminate_backend(0)
SELECT pg_cancel_backend(0)
SELECT pg_reload_conf()
SELECT pg_stat_reset()
SELECT pg_stat_clear_snapshot()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('routes')
SELECT pg_current_wal_lsn()
SELECT pg_current_wal_insert_lsn()
SELECT pg_current_wal_flush_lsn()
SELECT pg_walfile_name('0/1000000')
SELECT pg_last_wal_replay_lsn()
SELECT pg_last_wal_receive_lsn()
SELECT pg_last_xact_replay_timestamp()
SELECT pg_logical_emit_message(false, 'a', 'b')
SELECT pg_postmaster_start_time()
SELECT pg_conf_load_time()
SELECT pg_stat_get_numscans('items'::regclass)
SELECT pg_relation_size('items')
SELECT pg_database_size(current_database())
SELECT pg_blocking_pids(1)
SELECT pg_read_file('PG_VERSION')
SELECT pg_ls_dir('.')
SELECT query_to_xml('INSERT INTO marks VALUES (''xml'') RETURNING 1', true, true, '')
SELECT table_to_xml('counters', true, true, '')
SELECT ts_stat('SELECT to_tsvector(writer(1)::text)')
SELECT current_setting('port')
SELECT current_setting('transaction_read_only')
SELECT current_setting(lower('IN_HOT_STANDBY'), true)
SHOW ALL
SHOW transaction_read_only
SHOW in_hot_standby
SHOW port
SHOW data_directory
SHOW primary_conninfo
SHOW hot_standby
SHOW synchronous_standby_names
SELECT * FROM pg_settings WHERE name = 'port'
SELECT pid FROM pg_stat_activity
SELECT pid FROM activity_view
SELECT * FROM pg_stat_user_tables
SELECT * FROM pg_statio_user_tables
SELECT * FROM pg_stat_database
SELECT * FROM pg_stat_replication
SELECT * FROM pg_stat_wal_receiver
SELECT * FROM pg_locks
SELECT * FROM pg_cursors
SELECT * FROM pg_prepared_statements
SELECT * FROM pg_prepared_xacts
SELECT * FROM pg_replication_slots
SELECT * FROM pg_file_settings
SELECT * FROM pg_hba_file_rules
SELECT * FROM pg_shmem_allocations
SELECT * FROM pg_available_extensions
SELECT * FROM pg_listening_channels()
EXPLAIN INSERT INTO marks VALUES ('a')
EXPLAIN DELETE FROM marks
EXPLAIN UPDATE items SET price = 1
EXPLAIN ANALYZE INSERT INTO marks VALUES ('explained')
EXPLAIN CREATE TABLE made AS SELECT 1
EXPLAIN SELECT * FROM items FOR UPDATE
SELECT 1; INSERT INTO marks VALUES ('second')
INSERT INTO marks VALUES ('first'); SELECT 1
SELECT 1; SELECT pg_try_advisory_lock(3)
SELECT 1; SET work_mem = '5MB'
CREATE TABLE made (a int); DROP TABLE made
BEGIN; SELECT 1; COMMIT
SELECT no_such_function(1)
SELECT * FROM no_such_table
SELECT 1 <##> 2
SELEC 1
"""

IN_TRANSACTION = """
LOCK TABLE items IN ACCESS SHARE MODE
LOCK TABLE items IN ROW EXCLUSIVE MODE
SAVEPOINT s
DECLARE routes_c CURSOR WITH HOLD FOR SELECT 1
DECLARE routes_c CURSOR FOR SELECT writer(1)
DECLARE routes_c CURSOR FOR SELECT * FROM items FOR UPDATE
"""

READS = """
SELECT 1
SELECT 1 AS one, 'a' AS two, NULL, true, 1.5, B'01', X'1F', E'a\\\\n', $$a$$, U&'\\0041'
VALUES (1, 'a'), (2, 'b')
TABLE items
(SELECT 1) UNION (SELECT 2) ORDER BY 1
SELECT 1 EXCEPT ALL SELECT 2 INTERSECT SELECT 3
SELECT * FROM items WHERE id = 1
SELECT id, name FROM items WHERE price BETWEEN 2 AND 20 AND name LIKE 'item%' ORDER BY price DESC NULLS LAST LIMIT 5 OFFSET 1
SELECT i.*, p.b FROM public.items i LEFT JOIN parts p ON p.a = i.id WHERE i.id IN (1, 2, 3) ORDER BY i.id
SELECT * FROM items NATURAL JOIN (SELECT 1 AS id) s
SELECT * FROM items JOIN (VALUES (1)) AS v (id) USING (id) AS u
SELECT * FROM items CROSS JOIN parent
SELECT * FROM ONLY parent
SELECT * FROM parent, parts, other.items
SELECT count(*), sum(price), avg(price), min(name), max(made) FROM items
SELECT tags[1], tags[1:2], doc -> 'a', doc ->> 'a', doc #> '{a}', doc @> '{"a": 1}' FROM items WHERE id = 1
SELECT name, count(*) FROM items GROUP BY name HAVING count(*) > 1 ORDER BY 2 DESC, 1
SELECT id, name, grouping(id) FROM items WHERE id < 3 GROUP BY GROUPING SETS ((id), (name), ()) ORDER BY 1, 2
SELECT id FROM items GROUP BY ROLLUP (id) ORDER BY 1
SELECT id, price FROM items GROUP BY CUBE (id, price) ORDER BY 1, 2 LIMIT 3
SELECT id, rank() OVER (PARTITION BY tags ORDER BY price) FROM items ORDER BY id
SELECT sum(price) OVER w, lag(price, 1, 0) OVER w FROM items WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY price), mode() WITHIN GROUP (ORDER BY name) FROM items
SELECT rank(3) WITHIN GROUP (ORDER BY id), array_agg(DISTINCT name ORDER BY name) FILTER (WHERE id < 3) FROM items
WITH a AS (SELECT id FROM items WHERE id < 3), b AS NOT MATERIALIZED (SELECT * FROM a) SELECT count(*) FROM b
WITH RECURSIVE r (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r
WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SEARCH BREADTH FIRST BY n SET o CYCLE n SET c USING p SELECT n FROM r ORDER BY o
SELECT EXISTS (SELECT FROM items WHERE id = 1), 1 = ANY (SELECT id FROM items), 2 > ALL (ARRAY[1]), ARRAY(SELECT id FROM items ORDER BY id)
SELECT (1, 2) = (1, 2), (1, 2) IS DISTINCT FROM (3, 4), ROW(1, NULL) IS NULL
SELECT CASE WHEN id = 1 THEN 'a' WHEN id = 2 THEN 'b' ELSE 'c' END FROM items ORDER BY id
SELECT CASE id WHEN 1 THEN 'a' END, coalesce(name, 'x'), nullif(name, 'x'), greatest(1, id), least(1, id) FROM items WHERE id = 1
SELECT '1'::int, CAST('2' AS bigint), int '3', 1::numeric(10, 2), '{1,2}'::int[], '2026-01-01'::date + 1, interval '1 day'
SELECT 'good'::mood, ROW(1, 2)::pair, (ROW(1, 2)::pair).a, 5::positive, 'A'::citext = 'a', 'a=>1'::hstore -> 'a'
SELECT '[1,5)'::int4range @> 3, '10.0.0.1'::inet << '10.0.0.0/8', 'a'::bytea, '1 2'::int2vector
SELECT 'items'::regclass, 'numbers'::regclass::oid > 0, 'writer(int)'::regprocedure
SELECT now() IS NOT NULL, clock_timestamp() IS NOT NULL, current_date IS NOT NULL, statement_timestamp() IS NOT NULL, localtime IS NOT NULL
SELECT random() < 2, gen_random_uuid() IS NOT NULL, timeofday() IS NOT NULL
SELECT current_user, session_user, current_database(), current_schema, current_catalog, user
SELECT extract(year FROM timestamp '2026-01-01'), date_part('day', date '2026-01-02'), date_trunc('month', timestamp '2026-01-05')
SELECT timestamptz '2026-01-01' AT TIME ZONE 'UTC', (date '2026-01-01', date '2026-02-01') OVERLAPS (date '2026-01-15', date '2026-03-01')
SELECT substring('abc' FROM 1 FOR 2), substring('abc' SIMILAR 'a#"b#"c' ESCAPE '#'), position('b' IN 'abc'), overlay('abc' PLACING 'x' FROM 2), trim(BOTH 'a' FROM 'aba')
SELECT 'abc' LIKE 'a%', 'abc' ILIKE 'A%' ESCAPE '!', 'abc' SIMILAR TO 'a%', 'abc' ~ 'b', 'abc' !~* 'B', 'a' IS NORMALIZED, normalize('a', NFC)
SELECT upper('a'), lower('A'), length('abc'), replace('a', 'a', 'b'), split_part('a,b', ',', 1), concat('a', 1), concat_ws(',', 'a', 'b'), format('%s', 1)
SELECT regexp_replace('a', 'a', 'b'), regexp_matches('abc', 'b'), string_to_array('a,b', ','), md5('a'), encode('a', 'hex'), sha256('a')
SELECT abs(-1), round(1.5), ceil(1.2), sqrt(4), power(2, 3), mod(5, 3), 5 % 3, 2 ^ 3, |/ 4.0, @ -5, 5 & 3, ~1, 1 << 2
SELECT json_build_object('a', 1), jsonb_build_array(1, 2), to_jsonb(ROW(1, 2)), row_to_json(ROW(1)), jsonb_path_query('{"a": 1}', '$.a')
SELECT key, value FROM jsonb_each('{"a": 1}')
SELECT json_agg(name ORDER BY id), jsonb_object_agg(id, name), string_agg(name, ',' ORDER BY id) FROM items WHERE id < 3
SELECT xmlelement(NAME a, xmlattributes(1 AS b), 'c'), xmlforest(1 AS a), xmlconcat('<a/>', '<b/>'), xmlpi(NAME a), xmlserialize(CONTENT '<a/>' AS text)
SELECT x.* FROM xmltable('/a/b' PASSING '<a><b>1</b></a>' COLUMNS n int PATH '.', o FOR ORDINALITY) x
SELECT xmlexists('/a' PASSING '<a/>'), xpath('/a', '<a/>'), '<a/>' IS DOCUMENT
SELECT to_tsvector('english', 'a cat') @@ to_tsquery('english', 'cats'), ts_rank(to_tsvector('a'), to_tsquery('a'))
SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS g (a, b)
SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b', 'c'])) AS r (a, b)
SELECT * FROM json_to_record('{"a": 1, "b": "x"}') AS r (a int, b text COLLATE "C")
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) AS u (a, b), LATERAL (SELECT u.a + 1 AS c) l
SELECT i.id, t.tag FROM items i, unnest(i.tags) AS t (tag) WHERE i.id = 1 ORDER BY tag
SELECT count(*) >= 0 FROM items TABLESAMPLE bernoulli (50) REPEATABLE (1)
SELECT count(*) >= 0 FROM items TABLESAMPLE system (50)
SELECT * FROM items ORDER BY id FETCH FIRST 3 ROWS WITH TIES
SELECT DISTINCT tags FROM items
SELECT DISTINCT ON (tags) tags, id FROM items ORDER BY tags, id
SELECT name COLLATE "C" < 'b', name COLLATE pg_catalog."POSIX" FROM items WHERE id = 1
SELECT 1 OPERATOR(pg_catalog.+) 2, 1 |+# 2, 'abc' % 'abd', similarity('a', 'b')
SELECT id FROM items ORDER BY id USING >
SELECT pure(1), pure_loop(3), steady(1), writer(1, 2), other.clean(1), total(id) FROM items GROUP BY id ORDER BY id
SELECT defaulted(1), defaulted(1, 3), defaulted(1, 2, 3, 4), defaulted(1, 2, VARIADIC ARRAY[1, 2])
SELECT row_name(i), i.row_name, (i).row_name FROM items i WHERE id = 1
SELECT writer FROM (SELECT 1 AS writer) s
SELECT s.writers FROM (SELECT 1 AS writers) s
SELECT make_interval(days => 3), make_date(2026, 1, 1)
SELECT * FROM plain_view ORDER BY id LIMIT 3
SELECT * FROM nested_view ORDER BY id LIMIT 3
SELECT count(*) FROM stored
SELECT * FROM tenants
SELECT a FROM ruled
SELECT * FROM logged
SELECT * FROM keyed
SELECT * FROM parts WHERE a = 1
SELECT relname FROM pg_class WHERE relname = 'items' AND relkind = 'r' ORDER BY 1
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'items' ORDER BY 1
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0 ORDER BY attnum
SELECT pg_get_viewdef('plain_view'::regclass), pg_get_functiondef('pure(int)'::regprocedure), pg_get_indexdef('items_pkey'::regclass)
SELECT has_table_privilege('items', 'SELECT'), pg_has_role(current_user, 'USAGE'), pg_table_is_visible('items'::regclass)
SELECT obj_description('items'::regclass, 'pg_class'), pg_typeof(1), pg_column_size(1), pg_size_pretty(1024::bigint)
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'items' ORDER BY ordinal_position
SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1
SELECT attname FROM pg_stats WHERE tablename = 'items' ORDER BY 1
SELECT rolname FROM pg_roles ORDER BY 1
SELECT relid::regclass FROM pg_partition_tree('parts')
SELECT current_setting('search_path'), current_setting('routes.none', true), current_setting('server_version_num')::int > 130000
SELECT version() LIKE 'PostgreSQL%', pg_is_in_recovery() IS NOT NULL, inet_client_addr() IS NULL OR true
SHOW search_path
SHOW server_version
SHOW TimeZone
SHOW TIME ZONE
SHOW client_encoding
SHOW standard_conforming_strings
SHOW TRANSACTION ISOLATION LEVEL
EXPLAIN (COSTS off) SELECT * FROM items WHERE id = 1
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, COSTS off, BUFFERS off) SELECT count(*) FROM items
EXPLAIN (FORMAT json, COSTS off) VALUES (1)
EXPLAIN VERBOSE SELECT 1
COPY items TO STDOUT
COPY items (id, name) TO STDOUT WITH (FORMAT csv, HEADER true, DELIMITER ';', FORCE_QUOTE (name))
COPY (SELECT id FROM items ORDER BY id) TO STDOUT
COPY (VALUES (1)) TO STDOUT CSV
SELECT 1; SELECT 2
SELECT 1;; VALUES (2);
/* first */ SELECT /* second */ 1 -- third
SELECT 'INSERT INTO marks' AS "update", $$ DELETE $$ AS "FOR UPDATE"
SELECT 'nextval(''numbers'')', 'pg_advisory_lock(1)' AS writer
"""


def lines(text):
    return [line for line in text.splitlines() if line]


def statements():
    """(tag, SQL) of all that stand for themselves."""
    return (
        [("write", place.replace("{}", call)) for call in WRITING_CALLS for place in PLACES]
        + [("read", place.replace("{}", call)) for call in READING_CALLS for place in PLACES]
        + [("write", line) for line in lines(WRITES)]
        + [("read", line) for line in lines(READS)]
    )


def in_transaction():
    """Those that need a transaction around them."""
    return [("write", line) for line in lines(IN_TRANSACTION)]
