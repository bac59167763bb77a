"""What a function keeps of its first run in a session, by the settings of that moment, is not found by the next client of its backend."""
import pytest
import wire_messages as wire
from conversation import say
from side_by_side import cases, kind, q, run, side_by_side
from wire_client import WireClient, errors

both = side_by_side()
roomy = side_by_side(pool_size=2)
A, B = 0, 1

LITERALS = {
    "TimeZone": ("SET timezone = 'UTC'", "SET timezone = 'Asia/Tokyo'", "extract(epoch FROM timestamptz '2024-01-01 00:00')::text"),
    "DateStyle": ("SET datestyle = 'ISO, MDY'", "SET datestyle = 'ISO, DMY'", "(date '01/02/2024' - date '2000-01-01')::text"),
    "IntervalStyle": ("SET intervalstyle = 'postgres'", "SET intervalstyle = 'sql_standard'", "extract(epoch FROM interval '-1 2:00:00')::text"),
    "timezone_abbreviations": ("SET timezone_abbreviations = 'Default'", "SET timezone_abbreviations = 'Australia'",
                               "extract(epoch FROM timestamptz '2024-01-01 00:00 EST')::text"),
    "array_nulls": ("SET array_nulls = on", "SET array_nulls = off", "(('{a,NULL}'::text[])[2] IS NULL)::text"),
    "bytea_output": ("SET bytea_output = 'hex'", "SET bytea_output = 'escape'", "decode('41', 'hex')::text"),
    "extra_float_digits": ("SET extra_float_digits = 1", "SET extra_float_digits = -5", "0.123456789012345::float8::text"),
    "transform_null_equals": ("SET transform_null_equals = off", "SET transform_null_equals = on", "(SELECT (a = NULL)::text FROM (VALUES (1)) AS v (a))"),
    "quote_all_identifiers": ("SET quote_all_identifiers = off", "SET quote_all_identifiers = on", "quote_ident('a')"),
    "xmloption": ("SET xmloption = content", "SET xmloption = document", "('abc<a/>'::xml)::text"),
}
# How a session comes to have the setting: each gives the statements before the call, and those behind it.
WAYS = {
    "for good": lambda setting: ([setting], []),
    "in the block": lambda setting: (["BEGIN", setting], ["COMMIT"]),
    "for the block": lambda setting: (["BEGIN", setting.replace("SET ", "SET LOCAL ")], ["COMMIT"]),
    "rolled back": lambda setting: (["BEGIN", setting], ["ROLLBACK"]),
}


def function_of(expression):
    return f"CREATE OR REPLACE FUNCTION keeps() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN {expression}; END $f$"


def says(who, statements):
    return [say(who, q(text)) for text in statements]


@cases(LITERALS)
@pytest.mark.parametrize("way", WAYS)
def test_literals_in_functions_are_read_by_their_own_sessions_settings(both, kind, case, way):
    first, second, expression = case
    before, behind = WAYS[way](first)
    steps = [*says(A, before), say(A, q("SELECT keeps()")), *says(A, behind), *says(B, [second, "SELECT keeps()"]), say(A, q("SELECT keeps()")),
             say(B, q("SELECT keeps()")), say(B, wire.parse("SELECT keeps()", "s"), run("s"), wire.sync()), say(A, q("SELECT 1")),
             say(B, run("s"), wire.sync())]
    both.agree(kind, steps, function_of(expression))


K = "SELECT keeps()"
TOKYO = "timezone = 'Asia/Tokyo'"
AROUND = """CREATE OR REPLACE FUNCTION around() RETURNS text LANGUAGE plpgsql SET timezone = 'Asia/Tokyo' AS $f$ BEGIN RETURN keeps(); END $f$;
CREATE OR REPLACE FUNCTION sql_around() RETURNS text LANGUAGE sql SET timezone = 'Asia/Tokyo' AS $f$ SELECT keeps() $f$;
CREATE OR REPLACE PROCEDURE goes_around() LANGUAGE plpgsql SET timezone = 'Asia/Tokyo' AS $f$ BEGIN PERFORM keeps(); END $f$"""
# What the first client does, that has the server's TimeZone in the end.
LEAVES = {
    "SET LOCAL": ["BEGIN", f"SET LOCAL {TOKYO}", K, "COMMIT"],
    "SET and RESET": [f"SET {TOKYO}", K, "RESET timezone"],
    "SET and RESET ALL": [f"SET {TOKYO}", K, "RESET ALL"],
    "SET TIME ZONE": ["SET TIME ZONE 'Asia/Tokyo'", K, "SET TIME ZONE DEFAULT"],
    "rolled back": ["BEGIN", f"SET {TOKYO}", K, "ROLLBACK"],
    "rolled back in part": ["BEGIN", "SAVEPOINT a", f"SET {TOKYO}", K, "ROLLBACK TO a", "COMMIT"],
    "an error behind it": [f"SET {TOKYO}; SELECT keeps(); SELECT 1/0"],
    "set_config for the transaction": ["SELECT set_config('timezone', 'Asia/Tokyo', true), keeps()"],
    "set_config in a block": ["BEGIN", "SELECT set_config('timezone', 'Asia/Tokyo', true)", K, "COMMIT"],
    "set_config and an error": ["SELECT set_config('timezone', 'Asia/Tokyo', true), keeps(), 1/(length(keeps()) - length(keeps()))"],
}
PINNING = {"a function that sets": ["SELECT around()"], "an SQL function that sets": ["SELECT sql_around()"], "a procedure that sets": ["CALL goes_around()"]}


@cases(LEAVES)
@pytest.mark.parametrize("again", [[], ["SELECT 1"], ["SELECT 1", K]], ids=["", "used again", "run again"])
def test_a_client_with_the_servers_settings_finds_no_others_literals(both, kind, case, again):
    both.prepare(both.straight, function_of(LITERALS["TimeZone"][2]))
    # A client keeps its own plans only where it was the backend's first one.
    both.end_backends()
    both.agree(kind, [*says(A, case), *says(A, again), *says(B, ["SELECT 2", K]), say(A, q("SELECT 3")), say(B, q(K))])


@cases(PINNING)
def test_a_function_that_sets_for_itself_keeps_its_backend(roomy, case):
    place = roomy.proxies["primary"].place
    roomy.prepare(place, f"{function_of(LITERALS['TimeZone'][2])}; {AROUND}")
    with WireClient(place).log_in() as first, WireClient(place).log_in() as second:
        for text in case:
            assert errors(first.query(text)) == []
        wanted = roomy.straight.value(K)
        assert [second.value(K) for _ in range(3)] == [wanted] * 3


def test_a_row_is_stored_by_its_own_sessions_timezone(both, kind):
    setup = """DROP TABLE IF EXISTS kept; CREATE TABLE kept (zone text, moment timestamptz);
CREATE OR REPLACE FUNCTION store() RETURNS void LANGUAGE plpgsql AS $f$
BEGIN INSERT INTO kept VALUES (current_setting('timezone'), '2024-01-01 00:00'); END $f$"""
    rows = "SELECT zone, extract(epoch FROM moment) FROM kept ORDER BY 1, 2"
    steps = [*says(A, ["SET timezone = 'UTC'", "SELECT store()"]), *says(B, ["SET timezone = 'Asia/Tokyo'", "SELECT store()"]),
             *says(A, ["SELECT store()"]), *says(B, ["SELECT store()"]), *says(A, [rows])]
    both.agree(kind, steps, setup)


def test_one_session_alone_keeps_its_plans(both, kind):
    """As straight: a literal that has been read stays what it is."""
    both.prepare(both.straight, function_of(LITERALS["TimeZone"][2]))
    both.end_backends()
    both.agree(kind, says(A, ["SET timezone = 'UTC'", "SELECT keeps()", "SET timezone = 'Asia/Tokyo'", "SELECT keeps()"]))
