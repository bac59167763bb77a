"""Names of statements and what is left behind: conversations that once ran, lost or invented somebody's statement or setting. Each is
answered through the endpoint as by the server itself, and a client that comes next on the backend finds it clean."""
import random
import threading

import pytest
import wire_messages as wire
from conversation import gone, say
from side_by_side import cases, kind, q, run, side_by_side
from wire_client import WireClient, errors, values

both = side_by_side()
A, B, C = 0, 1, 2

PARSE, SYNC = wire.parse, wire.sync()
FAILS = PARSE("SELECT 1/0") + run()
IS_THERE = [say(A, run(name), SYNC) for name in ("s1", "s2", "k", "")]
LISTED = say(A, q("SELECT name, statement, from_sql FROM pg_prepared_statements ORDER BY 1"))

# What one client sends; then it is asked which of its names are there.
ONE_CLIENT = {
    # --- a reset and a Parse in one flight
    "DEALLOCATE, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DEALLOCATE k"), PARSE("SELECT 44", "k"), SYNC)],
    "DEALLOCATE in extended form, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, PARSE("DEALLOCATE k"), run(), PARSE("SELECT 44", "k"), SYNC)],
    "DISCARD ALL, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DISCARD ALL"), PARSE("SELECT 44", "k"), SYNC)],
    "DISCARD ALL, then Parse of another name": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DISCARD ALL"), PARSE("SELECT 44", "s1"), SYNC)],
    "DEALLOCATE ALL, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DEALLOCATE ALL"), PARSE("SELECT 44", "k"), SYNC)],
    "DEALLOCATE ALL, then Parse and run": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DEALLOCATE ALL"), PARSE("SELECT 44", "k"), run("k"), SYNC)],
    "DISCARD ALL in a failed block, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("BEGIN"), q("DISCARD ALL"), q("ROLLBACK"), PARSE("SELECT 44", "k"), SYNC)],
    "DISCARD ALL, Parse and Sync, each twice": [say(A, *[q("DISCARD ALL"), PARSE("SELECT 44", "k"), run("k"), SYNC] * 2)],
    "DEALLOCATE of a name that is not there, then Parse": [say(A, q("DEALLOCATE k"), PARSE("SELECT 44", "k"), SYNC)],
    "DEALLOCATE twice, then Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, q("DEALLOCATE k"), q("DEALLOCATE k"), PARSE("SELECT 44", "k"), SYNC)],
    "Parse, DEALLOCATE and Parse": [say(A, PARSE("SELECT 1", "k"), SYNC, q("DEALLOCATE k"), PARSE("SELECT 44", "k"), SYNC)],
    "Close, DEALLOCATE and Parse": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, wire.close("S", "k"), SYNC, q("DEALLOCATE k"), PARSE("SELECT 44", "k"), SYNC)],
    "DEALLOCATE bound and not run": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DEALLOCATE s1"), wire.bind(), SYNC)],
    "DEALLOCATE ALL bound and not run": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DEALLOCATE ALL"), wire.bind(), SYNC)],
    "DISCARD ALL bound and not run": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DISCARD ALL"), wire.bind(), SYNC)],
    "DEALLOCATE parsed and not bound": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DEALLOCATE s1", "s2"), SYNC)],
    "DEALLOCATE described": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DEALLOCATE s1", "s2"), wire.describe("S", "s2"), SYNC)],
    "DEALLOCATE in a pipeline that fails": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("DEALLOCATE s1"), run(), FAILS, SYNC)],
    "DEALLOCATE in a block that is rolled back": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, q("BEGIN"), q("DEALLOCATE s1"), q("ROLLBACK"))],
    "DEALLOCATE in a failed block": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0"), q("DEALLOCATE s1"), q("ROLLBACK"))],
    # --- pipelines that fail
    "an error, Close and Parse": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, FAILS, wire.close("S", "s1"), PARSE("SELECT 2", "s1"), SYNC)],
    "an error, then Parse of the unnamed one with the same text": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, FAILS, PARSE("SELECT 1"), SYNC)],
    "Close, Parse and an error": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, wire.close("S", "s1"), PARSE("SELECT 2", "s1"), FAILS, SYNC)],
    "Close, an error and Parse": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, wire.close("S", "s1"), FAILS, PARSE("SELECT 2", "s1"), SYNC)],
    "Parse, an error, Close": [say(A, PARSE("SELECT 1", "s1"), FAILS, wire.close("S", "s1"), SYNC)],
    "Parse, Close, an error, Parse": [say(A, PARSE("SELECT 1", "s1"), wire.close("S", "s1"), FAILS, PARSE("SELECT 2", "s1"), SYNC)],
    "an error, Parse, Sync and Parse again": [say(A, FAILS, PARSE("SELECT 1", "s1"), SYNC, PARSE("SELECT 1", "s1"), SYNC)],
    "an error, Parse, Sync and Parse of another": [say(A, FAILS, PARSE("SELECT 1", "s1"), SYNC, PARSE("SELECT 2", "s1"), SYNC)],
    "an error, Close, Sync and Close": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, FAILS, wire.close("S", "s1"), SYNC, wire.close("S", "s1"), SYNC)],
    "Parse of a taken name": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, PARSE("SELECT 2", "s1"), SYNC)],
    "Parse of a taken name in one pipeline": [say(A, PARSE("SELECT 1", "s1"), PARSE("SELECT 2", "s1"), SYNC)],
    "Parse of a taken name, then Close and Parse": [say(A, PARSE("SELECT 1", "s1"), PARSE("SELECT 2", "s1"), wire.close("S", "s1"), PARSE("SELECT 3", "s1"), SYNC)],
    "Parse of a taken name with the same text": [say(A, PARSE("SELECT 1", "s1"), PARSE("SELECT 1", "s1"), SYNC)],
    "Parse that fails, then with the same name": [say(A, PARSE("SELECT FROM WHERE", "s1"), SYNC, PARSE("SELECT 2", "s1"), SYNC)],
    "Parse of the unnamed one that fails": [say(A, PARSE("SELECT 1"), SYNC), say(A, PARSE("SELECT FROM WHERE"), SYNC)],
    "the unnamed one after an error": [say(A, PARSE("SELECT 1"), SYNC), say(A, wire.execute("nothing"), PARSE("SELECT 2"), SYNC)],
    "the unnamed one after a simple query": [say(A, PARSE("SELECT 1"), SYNC), say(A, q("SELECT 2"))],
    "the unnamed one twice": [say(A, PARSE("SELECT 1"), wire.bind(), PARSE("SELECT 2"), wire.execute(), SYNC)],
    "Close of the unnamed one": [say(A, PARSE("SELECT 1"), SYNC), say(A, wire.close("S"), SYNC)],
    "the same text under two names": [say(A, PARSE("SELECT 1", "s1"), PARSE("SELECT 1", "s2"), SYNC), say(A, wire.close("S", "s1"), SYNC)],
    "the same text, a Close and an error": [say(A, PARSE("SELECT 1", "s1"), PARSE("SELECT 1", "s2"), SYNC),
                                            say(A, wire.close("S", "s1"), FAILS, wire.close("S", "s2"), SYNC), say(A, PARSE("SELECT 1", "s1"), SYNC)],
    "a known text in a failed block": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0")), say(A, PARSE("SELECT 1", "s2"), SYNC), say(A, q("ROLLBACK"))],
    "a known text, unnamed, in a failed block": [say(A, PARSE("SELECT 1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0")), say(A, PARSE("SELECT 1"), SYNC), say(A, q("ROLLBACK"))],
    # --- SQL that names statements
    "EXECUTE of a protocol-level statement": [say(A, PARSE("SELECT $1::int + 1", "s1"), SYNC), say(A, q("EXECUTE s1(41)"))],
    "EXECUTE in extended form": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, PARSE("EXECUTE s1"), run(), SYNC)],
    "Describe of EXECUTE": [say(A, PARSE("SELECT 41 AS answer", "s1"), SYNC), say(A, PARSE("EXECUTE s1", "s2"), wire.describe("S", "s2"), wire.bind(statement="s2"), wire.describe("P"), SYNC)],
    "Describe of EXECUTE of nothing": [say(A, PARSE("EXECUTE nothing", "s2"), wire.describe("S", "s2"), SYNC)],
    "EXECUTE of nothing": [say(A, q("EXECUTE nothing"))],
    "EXECUTE with a wrong number of parameters": [say(A, PARSE("SELECT $1::int + 1", "s1"), SYNC), say(A, q("EXECUTE s1"))],
    "EXECUTE of a statement that fails": [say(A, PARSE("SELECT 1/$1::int", "s1"), SYNC), say(A, q("EXECUTE s1(0)"))],
    "EXPLAIN EXECUTE": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("EXPLAIN (COSTS OFF) EXECUTE s1"))],
    "EXPLAIN EXECUTE of nothing": [say(A, q("EXPLAIN (COSTS OFF) EXECUTE nothing"))],
    "CREATE TABLE AS EXECUTE": [say(A, PARSE("SELECT 41 AS answer", "s1"), SYNC), say(A, q("CREATE TEMP TABLE made AS EXECUTE s1"), q("TABLE made"), q("DROP TABLE made"))],
    "EXECUTE among several statements": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("SELECT 1; EXECUTE s1; SELECT 2"))],
    "DEALLOCATE among several statements": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("SELECT 1; DEALLOCATE s1; SELECT 2"))],
    "DEALLOCATE and PREPARE of a name together": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("DEALLOCATE s1; PREPARE s1 AS SELECT 42"))],
    "DEALLOCATE among statements that fail": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("DEALLOCATE s1; SELECT 1/0"))],
    "DEALLOCATE PREPARE": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("DEALLOCATE PREPARE s1"))],
    "a name in capitals": [say(A, PARSE("SELECT 41", "S1"), SYNC), say(A, q("EXECUTE S1")), say(A, q('EXECUTE "S1"')), say(A, q('DEALLOCATE "S1"'))],
    "PREPARE of a taken name": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("PREPARE s1 AS SELECT 42"))],
    "Parse of a name that PREPARE took": [say(A, q("PREPARE s1 AS SELECT 42")), say(A, PARSE("SELECT 41", "s1"), SYNC)],
    "Close of what PREPARE made": [say(A, q("PREPARE s1 AS SELECT 42")), say(A, wire.close("S", "s1"), SYNC)],
    "PREPARE in a pipeline that fails": [say(A, PARSE("PREPARE s1 AS SELECT 42"), run(), FAILS, SYNC)],
    # --- a text that leaves an aborted block before it names one
    **{f"{text} in an aborted block": [say(A, PARSE("SELECT 41 AS n", "s1"), SYNC), say(A, q("BEGIN")), say(A, q("SAVEPOINT x")), say(A, q("SELECT 1/0")), say(A, q(text)), say(A, q("ROLLBACK"))]
       for text in ["ROLLBACK; EXECUTE s1", "COMMIT; EXECUTE s1", "ROLLBACK TO x; EXECUTE s1", "ROLLBACK TO y; EXECUTE s1", "ROLLBACK; DEALLOCATE s1", "ROLLBACK; EXPLAIN (COSTS OFF) EXECUTE s1",
                    "ROLLBACK AND CHAIN; EXECUTE s1", "ROLLBACK; SELECT 1/0; EXECUTE s1", "SELECT 1; ROLLBACK; EXECUTE s1", "ROLLBACK; BEGIN; EXECUTE s1; COMMIT; EXECUTE s1", "ROLLBACK; EXECUTE s1; EXECUTE s2",
                    "ROLLBACK; CREATE TEMP TABLE made AS EXECUTE s1; TABLE made; DROP TABLE made", "ROLLBACK; PREPARE s2 AS SELECT 2; EXECUTE s2; DEALLOCATE s2", "ROLLBACK; PREPARE s1 AS SELECT 2",
                    "ROLLBACK; SELECT name FROM pg_prepared_statements", "ROLLBACK TO x; SELECT name FROM pg_prepared_statements", "EXECUTE s1; ROLLBACK", "ROLLBACK; EXECUTE s1; FROM"]},
    **{f"{text} in a block": [say(A, PARSE("SELECT 41 AS n", "s1"), SYNC), say(A, q("BEGIN")), say(A, q("SAVEPOINT x")), say(A, q(text)), say(A, q("ROLLBACK"))]
       for text in ["ROLLBACK; EXECUTE s1", "COMMIT; EXECUTE s1", "ROLLBACK TO x; EXECUTE s1", "SELECT 1/0; ROLLBACK; EXECUTE s1"]},
    **{f"{text} by itself": [say(A, PARSE("SELECT 41 AS n", "s1"), SYNC), say(A, q(text)), say(A, q("ROLLBACK"))]
       for text in ["BEGIN; EXECUTE s1; COMMIT", "BEGIN; EXECUTE s1; SELECT 1/0; ROLLBACK", "BEGIN; SELECT 1/0; ROLLBACK; EXECUTE s1", "ROLLBACK; EXECUTE s1"]},
    "ROLLBACK and EXECUTE in an aborted block, behind the error": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0"), q("ROLLBACK; EXECUTE s1"), q("SELECT 2"))],
    "ROLLBACK and EXECUTE in queries behind the error": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0"), q("ROLLBACK"), q("EXECUTE s1"))],
    "ROLLBACK TO and EXECUTE in queries behind the error": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SAVEPOINT x"), q("SELECT 1/0"), q("ROLLBACK TO x"), q("EXECUTE s1"), q("COMMIT"))],
    "ROLLBACK and EXECUTE in one extended batch": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0")), say(A, PARSE("ROLLBACK"), run(), PARSE("EXECUTE s1"), run(), SYNC)],
    "ROLLBACK TO and EXECUTE in one extended batch": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SAVEPOINT x"), q("SELECT 1/0")),
                                                      say(A, PARSE("ROLLBACK TO x"), run(), PARSE("EXECUTE s1"), run(), SYNC), say(A, q("COMMIT"))],
    "ROLLBACK in an extended batch, EXECUTE by a query": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN"), q("SELECT 1/0")), say(A, PARSE("ROLLBACK"), run(), q("EXECUTE s1"), SYNC)],
    "a setting of the aborted block and EXECUTE": [say(A, PARSE("SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')", "s1"), SYNC), say(A, q("BEGIN"), q("SET timezone = 'Asia/Tokyo'"), q("SELECT 1/0")),
                                                   say(A, q("ROLLBACK; EXECUTE s1; SHOW timezone"))],
    "a setting since the Parse, an aborted block and EXECUTE": [say(A, PARSE("SELECT extract(epoch FROM timestamptz '2024-01-01 00:00')", "s1"), SYNC), say(A, q("SET timezone = 'Asia/Tokyo'")),
                                                                say(A, q("BEGIN"), q("SELECT 1/0")), say(A, q("ROLLBACK; EXECUTE s1; SHOW timezone"))],
    **{f"{text} in a read-only block that failed": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("BEGIN READ ONLY")), say(A, q("SELECT 1/0")), say(A, q(text)), say(A, q("ROLLBACK"))]
       for text in ["ROLLBACK; CREATE TABLE made (a int); DROP TABLE made", "COMMIT; CREATE TABLE made (a int); DROP TABLE made", "ROLLBACK; EXECUTE s1", "COMMIT; EXECUTE s1", "SELECT 1; ROLLBACK"]},
    "EXECUTE in a DO": [say(A, PARSE("SELECT 41", "s1"), SYNC), say(A, q("DO $$ BEGIN EXECUTE 'DEALLOCATE s1'; END $$"))],
    "an error's text with the name": [say(A, PARSE("SELECT $1::int", "s1"), SYNC), say(A, wire.bind([], "s1"), SYNC), say(A, wire.bind([b"x"], "s1"), SYNC),
                                      say(A, wire.bind([b"1", b"2"], "s1"), SYNC)],
    "an error's text with the name of many results": [say(A, PARSE("SELECT 1", "s1"), SYNC), say(A, wire.message("B", b"\0s1\0\0\0\0\0\0\2\0\0\0\0"), SYNC)],
}


@cases(ONE_CLIENT)
def test_a_clients_statements_are_as_straight(both, kind, case):
    both.agree(kind, [*case, *IS_THERE, LISTED, say(A, PARSE("SELECT 'other'", "s1"), SYNC), *IS_THERE, gone(A, "terminate"),
                      *[say(B, run(name), SYNC) for name in ("s1", "s2", "k", "")], say(B, PARSE("SELECT 1", "s1"), run("s1"), SYNC)])


# --- the endpoint's names

INTERNAL = [f"pgtandem_{number}" for number in range(12)]
REACHING = {
    "Bind": lambda name: run(name) + SYNC,
    "Describe": lambda name: wire.describe("S", name) + SYNC,
    "Close": lambda name: wire.close("S", name) + SYNC,
    "DEALLOCATE": lambda name: q(f"DEALLOCATE {name}"),
    "DEALLOCATE in extended form": lambda name: PARSE(f"DEALLOCATE {name}") + run() + SYNC,
    "EXECUTE": lambda name: q(f"EXECUTE {name}"),
    "EXPLAIN EXECUTE": lambda name: q(f"EXPLAIN EXECUTE {name}"),
    "EXECUTE in a DO": lambda name: q(f"DO $$ BEGIN EXECUTE 'EXECUTE {name}'; END $$"),
    "DEALLOCATE in a DO": lambda name: q(f"DO $$ BEGIN EXECUTE 'DEALLOCATE {name}'; END $$"),
    "EXECUTE among several statements": lambda name: q(f"SELECT 1; EXECUTE {name}"),
    "Parse": lambda name: PARSE("SELECT 'of B'", name) + SYNC,
    "PREPARE": lambda name: q(f"PREPARE {name} AS SELECT 'of B'"),
    **{f"{by} of its own": lambda name, by=by: PARSE("SELECT 'of B'", name) + SYNC + q(f"{by} {name}") + run(name) + SYNC for by in ("DEALLOCATE", "EXECUTE", "SELECT 1; DEALLOCATE")},
    "Bind of a portal": lambda name: PARSE("SELECT 'of B'") + wire.bind(portal=name) + wire.execute(name) + SYNC,
}


@cases(REACHING)
def test_the_endpoints_names_are_out_of_reach(both, kind, case):
    steps = [say(A, PARSE("SELECT 'secret of A'", "s1"), run("s1"), PARSE("SELECT 'more of A'", "s2"), run("s2"), SYNC), say(A, run("s1"), SYNC)]
    steps += [say(B, case(name)) for name in INTERNAL] + [gone(B, "terminate")]
    steps += [say(A, run("s1"), SYNC), say(A, run("s2"), SYNC), say(C, PARSE("SELECT 'secret of A'", "s1"), run("s1"), SYNC)]
    both.agree(kind, steps)


# --- what the next client on the backend finds

MARKS = "DROP TABLE IF EXISTS marks; CREATE TABLE marks (who text); CREATE OR REPLACE PROCEDURE commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$"
WRITE = "INSERT INTO marks VALUES ('A')"
NEXT = [say(B, run(name), SYNC) for name in ("", "s1", "s2", "k")] + [say(B, q("TABLE marks"))]
LEFT = {
    "a name that is taken": [say(A, PARSE("SELECT 1", "k"), SYNC), say(A, PARSE(WRITE, "k"), SYNC)],
    "a name that is taken, in one pipeline": [say(A, PARSE("SELECT 1", "k"), PARSE(WRITE, "k"), SYNC)],
    "the unnamed statement behind an error": [say(A, PARSE("SELECT 1"), wire.execute("nothing"), PARSE(WRITE), SYNC)],
    "the first unnamed statement behind an error": [say(A, PARSE(WRITE), wire.execute("nothing"), PARSE("SELECT 1"), SYNC)],
    "the unnamed statement": [say(A, PARSE(WRITE), SYNC)],
    "the unnamed statement, without a Sync": [say(A, PARSE(WRITE), wire.flush())],
    "a named statement, without a Sync": [say(A, PARSE(WRITE, "k"), wire.flush())],
    "a named statement behind an error": [say(A, FAILS, PARSE(WRITE, "k"), SYNC)],
    "DEALLOCATE bound and not run": [say(A, PARSE(WRITE, "s1"), SYNC), say(A, PARSE("DEALLOCATE s1"), wire.bind(), SYNC)],
    "PREPARE bound and not run": [say(A, PARSE(f"PREPARE s1 AS {WRITE}"), wire.bind(), SYNC)],
    "PREPARE in a pipeline that fails": [say(A, PARSE(f"PREPARE s1 AS {WRITE}"), run(), FAILS, SYNC)],
    "Parse and PREPARE of one name": [say(A, PARSE(WRITE, "s1"), SYNC), say(A, q("DEALLOCATE s1"), q(f"PREPARE s1 AS {WRITE}"), q("DEALLOCATE s1"))],
}


@pytest.mark.parametrize("leaving", ["terminate", "close", "reset"])
@cases(LEFT)
def test_the_next_client_finds_no_statement(both, kind, case, leaving):
    both.agree(kind, [*case, gone(A, leaving), *NEXT], MARKS)


SHOWN = ["work_mem", "standard_conforming_strings", "datestyle", "search_path", "role", "timezone"]
SETS = {"work_mem": "SET work_mem = '77MB'", "standard_conforming_strings": "SET standard_conforming_strings = off", "datestyle": "SET datestyle = german",
        "search_path": "SET search_path = pg_catalog", "role": "SET ROLE pg_monitor", "set_config": "SELECT set_config('work_mem', '78MB', false)"}
COMMITS = {"CALL": "CALL commits()", "DO": "DO $$ BEGIN COMMIT; END $$", "DO that commits twice": "DO $$ BEGIN COMMIT; COMMIT; END $$"}
ENDS = {"ROLLBACK": PARSE("ROLLBACK") + run() + SYNC, "an error": FAILS + SYNC, "a syntax error": PARSE("SELECT FROM WHERE") + SYNC, "no Sync": b"", "a Sync": SYNC,
        "ROLLBACK by a query": q("ROLLBACK")}


def asked(who):
    return [say(who, q(f"SHOW {name}")) for name in SHOWN]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("commits", COMMITS)
@pytest.mark.parametrize("setting", SETS)
def test_a_setting_committed_within_a_pipeline_stays_the_clients_own(both, setting, commits, end):
    pipeline = say(A, PARSE(SETS[setting]), run(), PARSE(COMMITS[commits]), run(), ENDS[end])
    steps = [pipeline, *(asked(A) if end != "no Sync" else []), gone(A), *asked(B)]
    both.agree("primary", steps, MARKS)


TRANSACTIONS = {
    "a block by queries": [say(A, q("BEGIN"), q(SETS["work_mem"]), q("COMMIT"))],
    "several statements, one of which fails": [say(A, q("SET work_mem = '77MB'; SELECT 1/0"))],
    "several statements with COMMIT, one of which fails": [say(A, q("SET work_mem = '77MB'; COMMIT; SELECT 1/0"))],
    "several statements with BEGIN and COMMIT": [say(A, q("BEGIN; SET work_mem = '77MB'; COMMIT; BEGIN; SET datestyle = german; ROLLBACK; SELECT 1/0"))],
    "several statements with BEGIN, left open": [say(A, q("SET work_mem = '77MB'; BEGIN; SET datestyle = german"))],
    "COMMIT AND CHAIN": [say(A, q("BEGIN"), q(SETS["work_mem"]), q("COMMIT AND CHAIN"), q("SET datestyle = german"), q("ROLLBACK"))],
    "a savepoint": [say(A, q("BEGIN"), q("SAVEPOINT s"), q(SETS["work_mem"]), q("ROLLBACK TO s"), q("SET datestyle = german"), q("COMMIT"))],
    "a savepoint released": [say(A, q("BEGIN"), q("SAVEPOINT s"), q(SETS["work_mem"]), q("RELEASE s"), q("SAVEPOINT s"), q("SET datestyle = german"), q("ROLLBACK TO s"), q("COMMIT"))],
    "a pipeline with COMMIT": [say(A, PARSE("SET work_mem = '77MB'"), run(), PARSE("COMMIT"), run(), FAILS, SYNC)],
    "a pipeline with BEGIN and COMMIT": [say(A, PARSE("BEGIN"), run(), PARSE("SET work_mem = '77MB'"), run(), PARSE("COMMIT"), run(), PARSE("SET datestyle = german"), run(), FAILS, SYNC)],
    "CALL within a query of several": [say(A, q("SET work_mem = '77MB'; CALL commits(); SELECT 1/0"))],
    "DISCARD ALL in a pipeline": [say(A, q(SETS["work_mem"])), say(A, PARSE("DISCARD ALL"), run(), SYNC)],
    "RESET ALL in a pipeline that fails": [say(A, q(SETS["work_mem"])), say(A, PARSE("RESET ALL"), run(), FAILS, SYNC)],
    "SET LOCAL and CALL": [say(A, PARSE("SET LOCAL work_mem = '77MB'"), run(), PARSE("CALL commits()"), run(), SYNC)],
    "VACUUM within a pipeline": [say(A, PARSE(SETS["work_mem"]), run(), PARSE("VACUUM marks"), run(), FAILS, SYNC)],
    "CREATE INDEX CONCURRENTLY within a pipeline": [say(A, PARSE(SETS["work_mem"]), run(), PARSE("CREATE INDEX CONCURRENTLY ON marks (who)"), run(), FAILS, SYNC)],
}


@cases(TRANSACTIONS)
def test_a_setting_is_kept_or_undone_as_straight(both, kind, case):
    both.agree(kind, [*case, *asked(A), say(A, q("ROLLBACK")), *asked(A), gone(A, "terminate"), *asked(B)], MARKS)


UNSET = PARSE("SET my.own = 'x'", "k") + run("k")
# A setting of the user's own is unknown until it has been set once, and empty from then on.
OWN_SETTINGS = {
    "overlooked behind an error": say(A, FAILS, UNSET, SYNC),
    "parsed and not run": say(A, PARSE("SET my.own = 'x'", "k"), wire.bind(statement="k"), SYNC),
    "in a text that is refused": say(A, q("SET my.own = 'x'; SELECT FROM WHERE")),
    "two statements in one Parse": say(A, PARSE("SET my.own = 'x'; SELECT 2", "k"), run("k"), SYNC),
    "behind what fails in a text": say(A, q("SELECT 1/0; SET my.own = 'x'")),
    "before what fails in a text": say(A, q("SET my.own = 'x'; SELECT 1/0")),
    "before what fails in a pipeline": say(A, UNSET, FAILS, SYNC),
    "in an aborted block": say(A, q("BEGIN"), q("SELECT 1/0"), q("SET my.own = 'x'"), q("ROLLBACK")),
    "in an aborted block, by a pipeline": say(A, q("BEGIN"), q("SELECT 1/0"), UNSET, SYNC, q("ROLLBACK")),
    "in a block that is rolled back": say(A, q("BEGIN"), q("SET my.own = 'x'"), q("ROLLBACK")),
    "last in a text that is not committed": say(A, q("INSERT INTO once VALUES (1); SET my.own = 'x'")),
    "of no possible name": say(A, q("""SET "my.o-n" = 'x'""")),
    "for the transaction": say(A, q("SET LOCAL my.own = 'x'")),
}


@cases(OWN_SETTINGS)
def test_a_setting_of_ones_own_is_there_only_once_it_has_been_set(both, kind, case):
    asked = q("SELECT current_setting('my.own', true)")
    both.agree(kind, [case, say(A, asked), say(B, asked), say(A, asked), say(B, asked), say(A, asked)],
               "DROP TABLE IF EXISTS once; CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO once VALUES (1)")


# --- a cancel


def test_a_cancel_that_is_over_does_not_hit_the_next_query(both, kind):
    """The close of the cancel's own connection tells that the server has had it."""
    place = both.proxies[kind].place
    dice = random.Random(3)
    with WireClient(place).log_in() as client:
        hit = 0
        for _ in range(1500):
            client.send(q(f"SELECT pg_sleep({dice.choice([0, 0.0003, 0.001])})"))
            client.cancel()
            client.until("Z")
            hit += errors(client.query("SELECT 1")) != []
        assert hit == 0


def test_a_cancel_beside_a_second_client_on_the_backend_hits_nobody_else(both, kind):
    place = both.proxies[kind].place
    ended = threading.Event()
    refused = []
    with WireClient(place).log_in() as victim, WireClient(place).log_in() as other:
        def ask():
            while not ended.is_set():
                refused.extend(errors(other.query("SELECT pg_sleep(0.0005)")))
        thread = threading.Thread(target=ask)
        thread.start()
        for _ in range(700):
            victim.send(q("SELECT 1"))
            victim.cancel()
            victim.until("Z")
        ended.set()
        thread.join()
        assert refused == []
        assert values(other.query("SELECT 1")) == [["1"]]
