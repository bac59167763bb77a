SELECT pg_advisory_lock(4711)

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711

SELECT pg_advisory_lock(4711)

SELECT pg_advisory_unlock(4711)

SELECT pg_advisory_unlock(4711)

SELECT pg_advisory_unlock(4711)

SELECT pg_try_advisory_lock(4711, 1), pg_try_advisory_lock_shared(4711, 2)

SELECT pg_advisory_unlock_all()

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711

SELECT pg_advisory_xact_lock(4712)

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712

BEGIN

SELECT pg_advisory_xact_lock(4712)

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712

COMMIT

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4712

CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(4713)'

SELECT locks()

SELECT pg_advisory_unlock(4713)

SELECT pg_advisory_unlock(4713)

SELECT pg_advisory_lock(4714)

DISCARD ALL

SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4714

CREATE TABLE locks.held (a int)

INSERT INTO locks.held VALUES (1), (2)

BEGIN

SELECT a FROM locks.held FOR UPDATE

SELECT a FROM locks.held ORDER BY a FOR SHARE SKIP LOCKED

LOCK TABLE locks.held IN SHARE MODE NOWAIT

ROLLBACK

LOCK TABLE locks.held

LOAD 'no_such_library'

LOAD 'plpgsql'
