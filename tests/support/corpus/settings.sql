SHOW search_path

SET work_mem TO '7MB'

SHOW work_mem

SET LOCAL work_mem TO '9MB'

SHOW work_mem

BEGIN

SET LOCAL work_mem TO '9MB'

SHOW work_mem

COMMIT

SHOW work_mem

BEGIN

SET work_mem TO '11MB'

ROLLBACK

SHOW work_mem

BEGIN

SET work_mem TO '12MB'

SAVEPOINT a

SET work_mem TO '13MB'

SET LOCAL enable_seqscan TO off

ROLLBACK TO a

SHOW work_mem

COMMIT

SHOW work_mem

SHOW enable_seqscan

RESET work_mem

SHOW work_mem

SELECT set_config('work_mem', '17MB', false)

SHOW work_mem

SELECT set_config('work_mem', '18MB', true), current_setting('work_mem')

SHOW work_mem

SELECT set_config('my.own', 'kept', false)

SELECT current_setting('my.own')

SET my.other TO 'a ''quoted'' value'

SHOW my.other

SELECT current_setting('never.set')

SELECT current_setting('never.set', true)

SET datestyle TO postgres, dmy

SET datestyle TO ymd

SELECT date '1999-01-08', date '99-01-08'

SET datestyle TO iso

SELECT date '1999-01-08', date '99-01-08'

SET timezone TO 'America/New_York'

SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE

SHOW timezone

SET TIME ZONE LOCAL

SHOW timezone

SET application_name TO 'another name'

SHOW application_name

SET client_encoding TO 'LATIN1'

SHOW client_encoding

SET NAMES 'UTF8'

SET standard_conforming_strings TO off

SELECT 'a\\b'

SET standard_conforming_strings TO on

SET intervalstyle TO sql_standard

SELECT interval '1 day 2 hours'

SET default_transaction_isolation TO serializable

SHOW transaction_isolation

SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

CREATE TABLE refused (a int)

SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE

SHOW default_transaction_read_only

BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY

SHOW transaction_isolation

SHOW transaction_read_only

CREATE TABLE refused (a int)

ROLLBACK

--@ only simple
SET work_mem TO '21MB'; SELECT 1/0

SHOW work_mem

--@ only simple
SET work_mem TO '22MB'; SHOW work_mem; SET LOCAL work_mem TO '23MB'; SHOW work_mem

SHOW work_mem

CREATE FUNCTION sets_inside() RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('work_mem', '31MB', false); RETURN 'done'; END $$

SELECT sets_inside()

SHOW work_mem

DO $$ BEGIN SET work_mem TO '32MB'; END $$

SHOW work_mem

CREATE FUNCTION restored() RETURNS text LANGUAGE sql SET work_mem TO '33MB' AS $$ SELECT current_setting('work_mem') $$

SELECT restored(), current_setting('work_mem')

SET search_path TO "$user", settings, pg_catalog

SHOW search_path

SELECT current_schemas(true)

SET SCHEMA 'settings'

SHOW search_path

SET search_path TO ''

SELECT current_schema() IS NULL

SET search_path TO settings

SET extra_float_digits TO 0; SET extra_float_digits TO 1

SET lock_timeout TO 100

SHOW lock_timeout

SET transaction_isolation TO serializable

BEGIN

SELECT 1

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE

ROLLBACK

SET log_statement TO 'all'

SET shared_buffers TO '1GB'

RESET ALL

SHOW work_mem

SHOW application_name

SET work_mem TO DEFAULT

DISCARD PLANS

DISCARD ALL

SHOW search_path

SHOW default_transaction_isolation

SELECT current_setting('my.own', true)

BEGIN

DISCARD ALL

ROLLBACK

SET seed TO 0.5

SELECT random() < 1, setseed(0.25)

SELECT round(random()::numeric, 6), round(random()::numeric, 6)
