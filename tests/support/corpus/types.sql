SELECT 1, -1::smallint, 9223372036854775807::bigint, 1.50::numeric(10, 2), 'NaN'::numeric, 'Infinity'::float8, 0.1::real

--@ binary
SELECT 1, 2::smallint, 3::bigint, 1.5::numeric, 0.1::float8, true, 'x'::text, '\xdeadbeef'::bytea

SELECT true, false, NULL::boolean, 't'::"char", 'abc'::char(5), 'abc'::varchar(2), 'a name'::name

SELECT '\x00ff10'::bytea, E'tab\there', U&'d\0061t\+000061', $tag$a 'quoted' $ text$tag$, 'ünïcödé ≠ ascii'

SELECT date '2024-02-29', time '12:34:56.789', timetz '12:34:56+02', timestamp '2024-02-29 12:34:56', timestamptz '2024-02-29 12:34:56+00'

SELECT interval '1 year 2 mons -3 days 04:05:06.7', 'infinity'::timestamp, '-infinity'::date, make_interval(weeks => 2)

SET datestyle TO 'German, DMY'

SELECT date '2024-02-29', timestamptz '2024-02-29 12:34:56+00'

SET timezone TO 'Asia/Kathmandu'; SET intervalstyle TO iso_8601

SELECT timestamptz '2024-02-29 12:34:56+00', interval '1 year 2 mons'

RESET ALL

SELECT array[1, 2, NULL], '{{a,b},{c,"d e"}}'::text[][], '[2:3]={7,8}'::int[], ARRAY[]::text[], array[row(1, 'x')]

SELECT row(1, 'two', NULL), (1, 2)::record, row(row(1), 2)

SELECT '{"a": [1, 2.50, null]}'::json, '{"b": 1, "a": {"c": "d"}}'::jsonb, '{"a": 1}'::jsonb -> 'a', '$.a[*]'::jsonpath

SELECT '00112233-4455-6677-8899-aabbccddeeff'::uuid, '10.1.2.3/24'::inet, '10.1.2.0/24'::cidr, '08:00:2b:01:02:03'::macaddr

SELECT int4range(1, 5), numrange(NULL, 2.5, '(]'), 'empty'::int8range, int4multirange(int4range(1, 3), int4range(7, 9))

SELECT point '(1,2)', box '((0,0),(1,1))', circle '<(0,0),1>', path '[(0,0),(1,1)]', polygon '((0,0),(1,0),(1,1))'

SELECT B'1010', X'ff', '101'::bit varying(5), 'a & b'::tsquery, 'a fat cat'::tsvector, 12.34::money

SELECT xmlelement(name a, xmlattributes(1 AS b), 'c')

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')

CREATE TYPE pair AS (a int, b text)

CREATE DOMAIN positive AS int CHECK (VALUE > 0)

SELECT 'ok'::mood, (1, 'x')::pair, 5::positive, array['sad', 'happy']::mood[]

SELECT enum_range(NULL::mood), ((1, 'x')::pair).b, 'sad'::mood < 'happy'::mood

SELECT 'angry'::mood

SELECT (-1)::positive

--@ bind 42 text {null}
--@ only extended
SELECT $1::int + 1, $2 || '!', $3::date IS NULL

--@ bind ok
--@ only extended
SELECT $1::mood, pg_typeof($1::mood)::text = 'types.mood'

--@ bind nonsense
--@ only extended
SELECT $1::int

--@ bind 1 2
--@ only extended
SELECT $1::int

--@ only extended
--@ bind 7
--@ binary
SELECT $1::int4, $1::int4::numeric, repeat('x', $1::int4)

SELECT repeat('0123456789', 100000)

SELECT g, repeat(chr(65 + g % 26), g * 37) FROM generate_series(1, 300) AS g

SELECT count(*), sum(g), avg(g), string_agg(g::text, ',') FROM generate_series(1, 20) AS g

SELECT FROM generate_series(1, 3)

SELECT

SELECT 1 AS "a column's name", 2 AS "ÄÖÜ", 3 AS "?column?"

SELECT set_byte('\x00'::bytea, 0, 255), decode('aGVsbG8=', 'base64'), md5('x'), sha256('x')

SELECT NULL, 'unknown', pg_typeof('unknown'), pg_typeof(NULL)

SET bytea_output TO escape

SELECT '\x00ff5c'::bytea

SET extra_float_digits TO -3

SELECT 0.1::float8 + 0.2::float8, 1e300::float8

SET client_encoding TO latin1

SELECT 'caf' || chr(233), length('é')

SELECT chr(8364)

SET client_encoding TO utf8

SELECT chr(8364)
