CREATE TABLE papers (name text, object oid)

INSERT INTO papers SELECT 'one', lo_from_bytea(0, '\x00010203')

SELECT lo_get(object) FROM papers

BEGIN

SELECT lo_open(object, x'60000'::int) FROM papers

SELECT loread(0, 2)

SELECT lo_lseek(0, 0, 2), lo_tell(0)

SELECT lowrite(0, '\x0405')

SELECT lo_close(0)

COMMIT

SELECT lo_get(object), lo_get(object, 1, 2) FROM papers

SELECT lo_put(object, 1, '\xffff') FROM papers

SELECT lo_get(object) FROM papers

SELECT loread(0, 1)

SELECT lo_open(1, 1)

SELECT lo_unlink(object) FROM papers

SELECT lo_get(object) FROM papers

BEGIN

SELECT lo_truncate(lo_open(lo_creat(-1), x'20000'::int), 10)

ROLLBACK
