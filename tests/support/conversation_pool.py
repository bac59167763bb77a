"""What generated conversations are made of: statements by kind, messages well and ill formed, and the flights they come in."""
import random
import struct

import wire_messages as wire
from conversation import say

SETUP = """DROP TABLE IF EXISTS t; CREATE TABLE t (n int PRIMARY KEY, who text); INSERT INTO t VALUES (1, 'one'), (2, 'two');
CREATE OR REPLACE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE OR REPLACE PROCEDURE writes_and_commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (90, 'p') ON CONFLICT DO NOTHING; COMMIT; END $$;
CREATE OR REPLACE FUNCTION folded() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_setting('my.own', true); END $$"""
NAMES = ["s1", "s2", "", "pgtandem_1"]
PORTALS = ["", "", "p1", "pgtandem_1"]
CONSTANT = ["SELECT 1", "SELECT $1::int + 1", "SELECT generate_series(1, 4)", "VALUES (1), (2)", "", ";", "-- nothing", "SELECT 'a', NULL, ''",
            "SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')", "SELECT date '01/02/2024' - date '2000-01-01'", "/* pgtandem: replica */ SELECT 1",
            "/* pgtandem: primary */ SELECT 2", "SELECT folded()", "SELECT length($1::text)", "EXPLAIN (COSTS OFF) SELECT 1"]
SHOWS = ["SHOW work_mem", "SHOW datestyle", "SHOW timezone", "SHOW transaction_isolation", "SHOW search_path", "SELECT current_setting('my.own', true)",
         "SELECT current_user", r"SELECT length('a\nb')", "SHOW transaction_read_only"]
READS = ["SELECT n FROM t ORDER BY n", "SELECT * FROM t WHERE n = $1 ORDER BY n", "TABLE t", "SELECT who FROM t ORDER BY 1", "SELECT n FROM t ORDER BY n FOR UPDATE"]
SETS = ["SET work_mem = '77MB'", "SET LOCAL work_mem = '78MB'", "RESET work_mem", "RESET ALL", "SET datestyle = 'ISO, DMY'", "SET timezone = 'Asia/Tokyo'",
        "SET timezone = 'UTC'", "SET my.own = 'x'", "SELECT set_config('work_mem', '79MB', false)", "SELECT set_config('my.own', 'y', true)",
        "SET standard_conforming_strings = off", "SET ROLE pg_monitor", "RESET ROLE", "SET search_path = pg_catalog, public", "SET work_mem = 'nonsense'",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET array_nulls = off"]
BLOCKS = ["BEGIN", "BEGIN", "COMMIT", "COMMIT", "ROLLBACK", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", "BEGIN READ ONLY", "COMMIT AND CHAIN", "ROLLBACK AND CHAIN",
          "START TRANSACTION ISOLATION LEVEL REPEATABLE READ", "END", "ABORT"]
WRITES = ["INSERT INTO t VALUES (3, 'three') ON CONFLICT DO NOTHING", "UPDATE t SET who = who || '+' WHERE n = 1 RETURNING n, who", "DELETE FROM t WHERE n = $1", "UPDATE t SET who = $1 WHERE n = 2",
          "/* pgtandem: replica */ UPDATE t SET who = 'hinted' WHERE n = 2", "INSERT INTO t VALUES (1, 'twice')", "TRUNCATE t", "LOCK TABLE t"]
PREPARES = ["PREPARE s1 AS SELECT 11", "PREPARE s2 (int) AS SELECT $1 + 1", "EXECUTE s1", "EXECUTE s2 (1)", "DEALLOCATE s1", "DEALLOCATE s2", "DEALLOCATE ALL", "DISCARD ALL",
            "DISCARD PLANS", "EXPLAIN (COSTS OFF) EXECUTE s1", "EXECUTE pgtandem_1", "DEALLOCATE pgtandem_1", "DEALLOCATE PREPARE s1",
            "SELECT name, statement, parameter_types, from_sql FROM pg_prepared_statements ORDER BY 1"]
COMMITTING = ["DO $$ BEGIN COMMIT; END $$", "CALL commits()", "CALL writes_and_commits()", "DO $$ BEGIN PERFORM set_config('work_mem', '80MB', false); END $$",
              "DO $$ BEGIN PERFORM set_config('work_mem', '80MB', false); COMMIT; END $$", "DO $$ BEGIN PERFORM 1/0; END $$", "VACUUM t"]
COPIES = ["COPY t FROM STDIN", "COPY t TO STDOUT", "COPY (SELECT 1) TO STDOUT", "COPY nowhere FROM STDIN"]
ERRORS = ["SELECT 1/0", "SELECT FROM WHERE", "SELECT * FROM nowhere", "SELECT 'x'::int", "ROLLBACK TO nothing"]
EVENTS = ["LISTEN a", "NOTIFY a", "UNLISTEN *", "NOTIFY a, 'told'"]
CURSORS = ["DECLARE c CURSOR FOR SELECT generate_series(1, 3)", "FETCH 2 FROM c", "CLOSE c", "DECLARE c CURSOR WITH HOLD FOR SELECT n FROM t", "CLOSE ALL", "MOVE 1 FROM c"]
DDL = ["ALTER TABLE t ALTER who TYPE varchar(90)", "ALTER TABLE t ADD COLUMN IF NOT EXISTS more int", "ALTER TABLE t ALTER n TYPE bigint", "CREATE TEMP TABLE own (a int)",
       "SELECT pg_advisory_lock(5)", "SELECT pg_advisory_unlock_all()", "DROP TABLE IF EXISTS own", "DISCARD TEMP"]
# The endpoint's own: placeholders straight, so compared only by their being answered.
OWN = ["SHOW pgtandem.consistency", "SET pgtandem.consistency = 'strict'", "SHOW pgtandem.route", "SHOW pgtandem.floor", "EXPLAIN (PGTANDEM) SELECT 1", "SET pgtandem.route = 'auto'"]
KINDS = [(CONSTANT, 14), (SHOWS, 6), (READS, 10), (SETS, 7), (BLOCKS, 14), (WRITES, 8), (PREPARES, 12), (COMMITTING, 4), (COPIES, 4), (ERRORS, 6), (EVENTS, 2), (CURSORS, 3), (DDL, 2), (OWN, 1)]
# What takes no transaction and pins nothing: for clients that take turns on one backend.
TAME = [(CONSTANT, 10), (SHOWS, 8), (READS[:4], 10), (SETS[2:8], 6), (WRITES[:4], 5), (["DEALLOCATE s1", "DEALLOCATE ALL", "DISCARD ALL"], 3), (ERRORS, 4)]
FUNCTIONS = [(1299, []), (2308, [struct.pack("!d", -2.5)]), (99999999, []), (2114, []), (2308, [])]


class Pool:
    def __init__(self, dice, kinds=KINDS):
        self.dice = dice
        self.kinds = kinds

    def statement(self):
        texts = self.dice.choices([texts for texts, _ in self.kinds], [weight for _, weight in self.kinds])[0]
        return self.dice.choice(texts)

    def sql(self):
        if self.dice.random() < 0.08:
            return "; ".join(self.statement() for _ in range(self.dice.randint(2, 3)))
        return self.statement()

    def name(self):
        return self.dice.choice(NAMES)

    def portal(self):
        return self.dice.choice(PORTALS)

    def parse(self, name):
        sql = self.sql()
        types = [self.dice.choice([0, 23, 25])] if "$1" in sql and self.dice.random() < 0.3 else []
        return wire.parse(sql, name, types), "$1" in sql

    def bind(self, name, portal, takes_one=None):
        takes_one = self.dice.random() < 0.3 if takes_one is None else takes_one
        count = takes_one + (self.dice.random() < 0.03)
        return wire.bind([self.dice.choice([b"1", b"2", b"7"]) for _ in range(count)], name, portal, self.dice.random() < 0.1)

    def pipeline(self):
        """Parse, Bind, Describe, Execute of one statement, with parts left out now and then."""
        name, portal = self.name(), self.portal()
        parse, takes_one = self.parse(name)
        parts = [parse, self.bind(name, portal, takes_one)]
        if self.dice.random() < 0.4:
            parts.insert(self.dice.choice([1, 2]), wire.describe(self.dice.choice("SP"), self.dice.choice([name, portal])))
        parts.append(wire.execute(portal, self.dice.choice([0, 0, 0, 1, 2])))
        if self.dice.random() < 0.15:
            parts.append(wire.execute(portal))
        if self.dice.random() < 0.2:
            del parts[self.dice.randrange(len(parts))]
        return parts

    def reuse(self):
        name, portal = self.name(), self.portal()
        return [self.bind(name, portal), wire.execute(portal)]

    def copy(self):
        ends = [[wire.copy_done()], [wire.copy_fail("enough")], [], [wire.copy_done(), wire.copy_done()], [wire.sync()], [wire.query("SELECT 1")]]
        return [wire.query("COPY t FROM STDIN"), *[wire.copy_data(b"7%d\tcopied\n" % number) for number in range(self.dice.randint(0, 2))], *self.dice.choice(ends)]

    def single(self):
        name, portal = self.name(), self.portal()
        return self.dice.choice([
            lambda: wire.query(self.sql()), lambda: self.parse(name)[0], lambda: self.bind(name, portal), lambda: wire.describe("S", name), lambda: wire.describe("P", portal),
            lambda: wire.execute(portal, self.dice.choice([0, 1])), lambda: wire.close("S", name), lambda: wire.close("P", portal), wire.flush, wire.sync, wire.sync,
            lambda: wire.function_call(*self.dice.choice(FUNCTIONS)), lambda: wire.copy_data(b"8\tx\n"), wire.copy_done, lambda: wire.copy_fail("no")])()

    def malformed(self):
        name = self.name()
        return self.dice.choice([
            wire.close("X"), wire.describe("X"), wire.message("H", b"x"), wire.message("S", b"x"), wire.message("B", b"\0\0"), wire.message("P", b"\0SELECT 1\0" + struct.pack("!h", 99)),
            wire.message("E", b"\0"), wire.message("Q", b"SELECT 1"), wire.message("Q", b"SELECT 1\0x\0"), wire.message("F", b"\0\0"), wire.message("C"), wire.message("D", b"S"),
            wire.message("c", b"x"), wire.message("B", b"\0" + wire.text(name) + struct.pack("!hhhh", 1, 7, 0, 0)), wire.message("B", b"\0" + wire.text(name) + struct.pack("!hhhhh", 0, 0, 2, 0, 5)),
            wire.message("P", wire.text(name) + b"SELECT 1"), wire.message("!", b"x"), wire.message("C", b"Ss1"), wire.message("p", b"secret\0"), wire.message("E", b"\0\0\0\0\0\0")])


def flight(dice, pool, odd=True):
    """Messages that are sent together, for the most part to a Sync."""
    messages = []
    for _ in range(dice.choice([1, 1, 2, 2, 3, 4])):
        chance = dice.random()
        if chance < 0.3:
            messages += pool.pipeline()
        elif chance < 0.42:
            messages += pool.reuse()
        elif chance < 0.62:
            messages.append(wire.query(pool.sql()))
        elif chance < 0.65 and odd:
            messages += pool.copy()
        elif chance < 0.68 and odd:
            messages.append(pool.malformed())
        elif odd:
            messages.append(pool.single())
        else:
            messages += [wire.close("S", pool.name())]
    if not odd or dice.random() < 0.75:
        messages.append(wire.sync())
    return messages


def sent(dice, who, messages):
    """All in one packet; each in one of its own; or cut anywhere."""
    chance = dice.random()
    data = b"".join(messages)
    if chance < 0.6 or len(data) < 2:
        return [say(who, *messages)]
    if chance < 0.8:
        return [say(who, one) for one in messages]
    parts = sorted(dice.sample(range(1, len(data)), min(dice.randint(1, 3), len(data) - 1)))
    return [say(who, *messages, parts=tuple(parts), pause=dice.choice([0, 0.0005, 0.003]))]


def dice_of(seed):
    return random.Random(seed)
