"""Portals of statements that the endpoint itself answers are as those of a server's statements.

Straight, a setting of this name is a placeholder: once it has been set, SHOW and SET of it are statements as any other.
"""
import wire_messages as wire
from conversation import say
from side_by_side import cases, kind, q, side_by_side

both = side_by_side()
A = 0
SHOW, SET = "SHOW pgtandem.consistency", "SET pgtandem.consistency = 'session'"
PARSE, BIND, EXECUTE, DESCRIBE, CLOSE, SYNC, FLUSH = wire.parse, wire.bind, wire.execute, wire.describe, wire.close, wire.sync(), wire.flush()


def own(portal="p"):
    return BIND(statement="show", portal=portal)


def other(portal="p"):
    return BIND(statement="one", portal=portal)


FAILS = PARSE("SELECT 1/0", "fails") + BIND(statement="fails") + EXECUTE()
BEGIN = say(A, q("BEGIN"), q("SELECT 1"))
# Sent after three statements have been prepared by name: 'show' and 'set' are the endpoint's own, 'one' is the server's.
CASES = {
    "bound twice": [say(A, own(), own(), EXECUTE("p"), SYNC)],
    "bound twice, each on its own": [say(A, own(), FLUSH), say(A, own(), FLUSH), say(A, EXECUTE("p"), SYNC)],
    "bound twice as the unnamed one": [say(A, own(""), own(""), EXECUTE(), SYNC)],
    "bound over a server's": [say(A, other(), own(), EXECUTE("p"), SYNC)],
    "bound over a server's that was run": [say(A, other(), EXECUTE("p"), own(), EXECUTE("p"), SYNC)],
    "a server's bound over it": [say(A, own(), other(), EXECUTE("p"), SYNC)],
    "a server's bound over it, that was run": [say(A, own(), EXECUTE("p"), other(), EXECUTE("p"), SYNC)],
    "a server's bound over it as the unnamed one": [say(A, own(""), other(""), EXECUTE(), own(""), EXECUTE(), SYNC)],
    "a server's of another name": [say(A, own("p"), other("q"), EXECUTE("q"), EXECUTE("p"), SYNC)],
    "closed and run": [say(A, own(), CLOSE("P", "p"), EXECUTE("p"), SYNC)],
    "closed and bound again": [say(A, own(), CLOSE("P", "p"), own(), EXECUTE("p"), SYNC)],
    "closed and a server's bound": [say(A, own(), CLOSE("P", "p"), other(), EXECUTE("p"), SYNC)],
    "a server's closed and it bound": [say(A, other(), CLOSE("P", "p"), own(), EXECUTE("p"), SYNC)],
    "a server's closed behind an error and it bound": [say(A, other(), FAILS, CLOSE("P", "p"), SYNC), say(A, own(), EXECUTE("p"), SYNC)],
    "closed as the unnamed one": [say(A, own(""), CLOSE("P"), EXECUTE(), SYNC)],
    "the unnamed one over a server's, closed": [say(A, other(""), own(""), CLOSE("P"), EXECUTE(), SYNC)],
    "closed twice": [say(A, own(), CLOSE("P", "p"), CLOSE("P", "p"), own(), EXECUTE("p"), SYNC)],
    "its statement closed": [say(A, own(), CLOSE("S", "show"), EXECUTE("p"), SYNC)],
    "run after Sync": [say(A, own(), SYNC), say(A, EXECUTE("p"), SYNC)],
    "run behind a Sync": [say(A, own(), SYNC, EXECUTE("p"), SYNC)],
    "bound again after Sync": [say(A, own(), SYNC), say(A, own(), EXECUTE("p"), SYNC)],
    "bound again behind a Sync": [say(A, own(), SYNC, own(), EXECUTE("p"), SYNC)],
    "bound behind a Sync over a server's": [say(A, other(), SYNC, own(), EXECUTE("p"), SYNC)],
    "a server's bound behind a Sync": [say(A, own(), SYNC, other(), EXECUTE("p"), SYNC)],
    "bound behind Syncs and more": [say(A, other(), SYNC, PARSE("SELECT 2", "two"), SYNC, own(), EXECUTE("p"), SYNC)],
    "described": [say(A, own(), DESCRIBE("P", "p"), DESCRIBE("S", "show"), EXECUTE("p"), SYNC)],
    "described after it was closed": [say(A, own(), CLOSE("P", "p"), DESCRIBE("P", "p"), SYNC)],
    "described after Sync": [say(A, own(), SYNC), say(A, DESCRIBE("P", "p"), SYNC)],
    "SET described": [say(A, BIND(statement="set", portal="p"), DESCRIBE("P", "p"), DESCRIBE("S", "set"), EXECUTE("p"), SYNC)],
    "run twice": [say(A, own(), EXECUTE("p"), EXECUTE("p"), SYNC)],
    "run twice as the unnamed one": [say(A, own(""), EXECUTE(), EXECUTE(), SYNC)],
    "SET run twice": [say(A, BIND(statement="set", portal="p"), EXECUTE("p"), EXECUTE("p"), SYNC)],
    "SET run twice as the unnamed one": [say(A, BIND(statement="set"), EXECUTE(), EXECUTE(), SYNC)],
    "as many rows as it has": [say(A, own(), EXECUTE("p", 1), SYNC)],
    "as many rows as it has, and the rest": [say(A, own(), EXECUTE("p", 1), EXECUTE("p", 1), EXECUTE("p"), SYNC)],
    "more rows than it has": [say(A, own(), EXECUTE("p", 5), EXECUTE("p", 5), SYNC)],
    "fewer than no rows": [say(A, own(), EXECUTE("p", -1), SYNC)],
    "SET with a limit": [say(A, BIND(statement="set", portal="p"), EXECUTE("p", 1), SYNC)],
    "bound with a value": [say(A, BIND([b"1"], "show", "p"), EXECUTE("p"), SYNC)],
    "bound with a value in a block": [BEGIN, say(A, BIND([b"1", b"2"], "show", "p"), EXECUTE("p"), SYNC), say(A, q("COMMIT"))],
    "bound after an error": [say(A, own(), FAILS, EXECUTE("p"), SYNC), say(A, own(), EXECUTE("p"), SYNC)],
    "the unnamed statement after a query": [say(A, PARSE(SHOW), q("SELECT 1"), BIND(), EXECUTE(), SYNC)],
    "the unnamed portal after a query": [say(A, own(""), q("SELECT 1"), EXECUTE(), SYNC)],
    "a named one after a query": [say(A, own(), q("SELECT 1"), EXECUTE("p"), SYNC)],
    "the unnamed statement after a query of its kind": [say(A, PARSE(SHOW), q(SHOW), BIND(), EXECUTE(), SYNC)],
    "the unnamed portal after a query of its kind": [say(A, own(""), q(SHOW), EXECUTE(), SYNC)],
    "a named one after a query of its kind": [say(A, own(), q(SHOW), EXECUTE("p"), SYNC)],
    "within a block": [BEGIN, say(A, own(), SYNC), say(A, EXECUTE("p"), SYNC), say(A, own(), SYNC), say(A, q("ROLLBACK"))],
    "within a block, over a server's": [BEGIN, say(A, other(), SYNC), say(A, own(), SYNC), say(A, q("ROLLBACK")), say(A, own(), EXECUTE("p"), SYNC)],
    "within a block, a server's over it": [BEGIN, say(A, own(), SYNC), say(A, other(), SYNC), say(A, q("ROLLBACK")), say(A, other(), EXECUTE("p"), SYNC)],
    "within a block, suspended": [BEGIN, say(A, own(), EXECUTE("p", 1), SYNC), say(A, EXECUTE("p", 1), SYNC), say(A, q("COMMIT")), say(A, EXECUTE("p"), SYNC)],
    "within a block, the unnamed one after a query": [BEGIN, say(A, own(""), SYNC), say(A, q("SELECT 1")), say(A, EXECUTE(), SYNC), say(A, q("COMMIT"))],
    "within a block, the unnamed one after a query of its kind": [BEGIN, say(A, own(""), SYNC), say(A, q(SHOW)), say(A, EXECUTE(), SYNC), say(A, q("COMMIT"))],
    "within a block, a named one after a query": [BEGIN, say(A, own(), SYNC), say(A, q("SELECT 1")), say(A, EXECUTE("p"), SYNC), say(A, q("COMMIT"))],
    "within a block that has sent nothing": [say(A, q("BEGIN")), say(A, own(), SYNC), say(A, own(), SYNC), say(A, q("ROLLBACK"))],
    "within a block that has sent nothing, run later": [say(A, q("BEGIN")), say(A, own(), SYNC), say(A, q("SELECT 1")), say(A, EXECUTE("p"), SYNC), say(A, q("COMMIT"))],
    "from before BEGIN": [say(A, own(), q("BEGIN")), say(A, EXECUTE("p"), SYNC), say(A, q("COMMIT")), say(A, EXECUTE("p"), SYNC)],
    "in a failed block, Parse": [BEGIN, say(A, FAILS, SYNC), say(A, PARSE(SHOW, "again"), SYNC), say(A, q("ROLLBACK")), say(A, BIND(statement="again"), EXECUTE(), SYNC)],
    "in a failed block, Bind": [BEGIN, say(A, FAILS, SYNC), say(A, own(), EXECUTE("p"), SYNC), say(A, q("ROLLBACK"))],
    "in a failed block, Describe": [BEGIN, say(A, FAILS, SYNC), say(A, DESCRIBE("S", "show"), SYNC), say(A, DESCRIBE("S", "set"), SYNC), say(A, q("ROLLBACK"))],
    "in a failed block, Close": [BEGIN, say(A, own(), SYNC), say(A, FAILS, SYNC), say(A, CLOSE("P", "p"), SYNC), say(A, q("ROLLBACK"))],
    "in a failed block, Execute": [BEGIN, say(A, own(), SYNC), say(A, FAILS, SYNC), say(A, EXECUTE("p"), SYNC), say(A, q("ROLLBACK"))],
    "in a subtransaction that is rolled back": [BEGIN, say(A, q("SAVEPOINT s")), say(A, own(), SYNC), say(A, q("ROLLBACK TO s")), say(A, own(), EXECUTE("p"), SYNC), say(A, q("COMMIT"))],
    "a server's in a subtransaction that is rolled back": [BEGIN, say(A, q("SAVEPOINT s")), say(A, other(), SYNC), say(A, q("ROLLBACK TO s")), say(A, own(), EXECUTE("p"), SYNC), say(A, q("COMMIT"))],
    "in a subtransaction that is released": [BEGIN, say(A, q("SAVEPOINT s")), say(A, own(), SYNC), say(A, q("RELEASE s")), say(A, own(), SYNC), say(A, q("ROLLBACK"))],
    "outside of a subtransaction that is rolled back": [BEGIN, say(A, own(), SYNC), say(A, q("SAVEPOINT s")), say(A, q("ROLLBACK TO s")), say(A, own(), SYNC), say(A, q("ROLLBACK"))],
    "an unfinished write before it": [say(A, PARSE("CREATE TEMP TABLE own (a int)"), BIND(), EXECUTE(), own(), own(), SYNC), say(A, q("SELECT to_regclass('own')"))],
}


@cases(CASES)
def test_a_portal_of_the_endpoints_own_statement_is_as_any_other(both, kind, case):
    prepared = [say(A, q(SET)), say(A, PARSE(SHOW, "show"), PARSE(SET, "set"), PARSE("SELECT 1 AS one", "one"), SYNC)]
    both.agree(kind, [*prepared, *case, say(A, q("SELECT 'goes on'"))])
