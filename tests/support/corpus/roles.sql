CREATE ROLE corpus_reader

CREATE ROLE corpus_writer LOGIN PASSWORD 'x' VALID UNTIL '2099-01-01 00:00:00+00' CONNECTION LIMIT 3

CREATE TABLE secrets (a int)

GRANT USAGE ON SCHEMA roles TO corpus_reader

SET ROLE corpus_reader

SELECT current_user, session_user = current_user

SELECT * FROM secrets

CREATE TABLE mine (a int)

RESET ROLE

GRANT SELECT ON secrets TO corpus_reader

SET ROLE corpus_reader

SELECT * FROM secrets

SHOW is_superuser

SET ROLE NONE

SHOW is_superuser

BEGIN

SET LOCAL ROLE corpus_reader

SELECT current_user

COMMIT

SELECT current_user = session_user

SET SESSION AUTHORIZATION corpus_writer

SELECT session_user, current_user

SHOW session_authorization

CREATE ROLE another

SET ROLE corpus_reader

RESET SESSION AUTHORIZATION

SELECT session_user = 'corpus_writer'

CREATE FUNCTION as_reader() RETURNS name LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user'

ALTER FUNCTION as_reader() OWNER TO corpus_reader

GRANT corpus_reader TO corpus_writer

SET SESSION AUTHORIZATION corpus_writer

SELECT as_reader(), current_user

SELECT has_table_privilege('roles.secrets', 'SELECT')

RESET SESSION AUTHORIZATION

ALTER ROLE corpus_reader SET work_mem TO '3MB'

CREATE ROLE corpus_reader

DROP ROLE corpus_reader

DROP OWNED BY corpus_reader

ALTER TABLE secrets ENABLE ROW LEVEL SECURITY

CREATE POLICY odd ON secrets TO corpus_writer USING (a % 2 = 1)

INSERT INTO secrets SELECT generate_series(1, 6)

GRANT SELECT ON secrets TO corpus_writer; GRANT USAGE ON SCHEMA roles TO corpus_writer

SET ROLE corpus_writer

SELECT a FROM secrets ORDER BY a

DISCARD ALL

SELECT current_user = session_user

SET ROLE nobody_of_that_name

DROP TABLE roles.secrets

DROP OWNED BY corpus_reader, corpus_writer CASCADE

DROP ROLE corpus_reader, corpus_writer
