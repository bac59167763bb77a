"""Ways to run an expression by a statement that does not name it: what is made first, and what is run then, in a database of its own. Each way is a
row or a field of docs/session-state.md; the checking mode must find each of them kept apart. All of it is made by a superuser."""


def function(call, arguments="", returns="int", value="1", marking="IMMUTABLE", name="runs"):
    """A function in PL/pgSQL that runs the expression, whatever it is marked."""
    inside = call.replace("'", "''")
    return f"CREATE FUNCTION {name}({arguments}) RETURNS {returns} {marking} LANGUAGE plpgsql AS 'BEGIN PERFORM {inside}; RETURN {value}; END';"


def trigger_function(call, value="NEW"):
    inside = call.replace("'", "''")
    returns = "event_trigger" if value is None else "trigger"
    return f"CREATE FUNCTION runs() RETURNS {returns} LANGUAGE plpgsql AS 'BEGIN PERFORM {inside}; {'' if value is None else f'RETURN {value}; '}END';"


TABLE = "CREATE TABLE t (a int, b int); INSERT INTO t SELECT g, g FROM generate_series(1, 20) AS g;"
PAIR = "CREATE TYPE pair AS (a int);"
BELOW = """CREATE FUNCTION below(pair, pair) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.a < $2.a';
CREATE FUNCTION same(pair, pair) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1.a = $2.a';"""


def operator_class(call):
    symbols = {1: "<<<", 2: "<<=", 3: "===", 4: ">>=", 5: ">>>"}
    operators = "".join(f"CREATE OPERATOR {symbol} (LEFTARG = pair, RIGHTARG = pair, FUNCTION = {'same' if number == 3 else 'below'});" for number, symbol in symbols.items())
    members = ", ".join(f"OPERATOR {number} {symbol}" for number, symbol in symbols.items())
    return f"{PAIR} {BELOW} {function(call, 'pair, pair', value='0')} {operators} CREATE OPERATOR CLASS ops DEFAULT FOR TYPE pair USING btree AS {members}, FUNCTION 1 runs(pair, pair);"


def operator_family_member(call):
    """Only the operator of equality runs it: by DISTINCT, which names no operator."""
    symbols = {1: "<<<", 2: "<<=", 3: "===", 4: ">>=", 5: ">>>"}
    operators = "".join(f"CREATE OPERATOR {symbol} (LEFTARG = pair, RIGHTARG = pair, FUNCTION = {'runs' if number == 3 else 'below'});" for number, symbol in symbols.items())
    members = ", ".join(f"OPERATOR {number} {symbol}" for number, symbol in symbols.items())
    compares = "CREATE FUNCTION compares(pair, pair) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 0';"
    return (f"{PAIR} {BELOW} {compares} {function(call, 'pair, pair', 'boolean', 'true')} {operators}"
            f"CREATE OPERATOR CLASS ops DEFAULT FOR TYPE pair USING btree AS {members}, FUNCTION 1 compares(pair, pair);")


# name: (what is made, what is run); CALL is the expression.
WAYS = {
    # What a function runs.
    "stable_function": lambda call: (function(call, marking="STABLE"), "SELECT runs()"),
    "volatile_function": lambda call: (function(call, marking="VOLATILE"), "SELECT runs()"),
    "function_in_sql": lambda call: (f"CREATE FUNCTION runs() RETURNS int STABLE LANGUAGE sql AS $$ SELECT 1 FROM (SELECT {call}) AS s $$", "SELECT runs()"),
    "function_kept_as_a_tree": lambda call: (f"CREATE FUNCTION runs() RETURNS int STABLE LANGUAGE sql BEGIN ATOMIC SELECT 1 FROM (SELECT {call} OFFSET 0) AS s; END", "SELECT runs()"),
    "function_in_from": lambda call: (function(call, returns="SETOF int", value="NEXT 1"), "SELECT * FROM runs()"),
    "function_behind_a_function": lambda call: (function(call) + "CREATE FUNCTION calls() RETURNS int STABLE LANGUAGE sql AS 'SELECT runs()'", "SELECT calls()"),
    "function_called_as_a_field": lambda call: (TABLE + function(call, "t"), "SELECT t.runs FROM t"),
    "argument_default": lambda call: (function(call) + "CREATE FUNCTION takes(int DEFAULT runs()) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'", "SELECT takes()"),
    "procedure": lambda call: (f"CREATE PROCEDURE runs() LANGUAGE plpgsql AS $$ BEGIN PERFORM {call}; END $$", "CALL runs()"),
    "do_block": lambda call: ("", f"DO $$ BEGIN PERFORM {call}; END $$"),
    "dynamic_sql": lambda call: (f"CREATE FUNCTION runs() RETURNS int STABLE LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN EXECUTE convert_from(decode('{f'SELECT {call}'.encode().hex()}', 'hex'), 'UTF8') INTO r; RETURN 1; END $$", "SELECT runs()"),
    "another_name_of_what_is_built_in": lambda call: ("CREATE FUNCTION plain(bigint) RETURNS boolean VOLATILE LANGUAGE internal AS 'pg_try_advisory_lock_int8'", "SELECT plain(7)"),
    # Operators, aggregates, casts, types.
    "operator": lambda call: (function(call, "int, int") + "CREATE OPERATOR <~> (LEFTARG = int, RIGHTARG = int, FUNCTION = runs)", "SELECT a <~> b FROM (VALUES (1, 2)) AS v (a, b)"),
    "operator_without_a_name": lambda call: (function(call, "int, text", "boolean", "true") + "CREATE OPERATOR = (LEFTARG = int, RIGHTARG = text, FUNCTION = runs)", "SELECT 1 WHERE 1 IN (SELECT 'a'::text)"),
    "aggregate": lambda call: (function(call, "int, int") + "CREATE AGGREGATE gather(int) (SFUNC = runs, STYPE = int)", "SELECT gather(1)"),
    "aggregate_at_its_end": lambda call: (function(call, "int") + "CREATE AGGREGATE gather(int) (SFUNC = int4pl, STYPE = int, FINALFUNC = runs)", "SELECT gather(1)"),
    "aggregate_over_a_window": lambda call: (function(call, "int, int", marking="IMMUTABLE STRICT") + "CREATE AGGREGATE gather(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = runs, MSTYPE = int)",
                                             "SELECT gather(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM generate_series(1, 5) AS g (a)"),
    "aggregate_over_a_window_at_its_end": lambda call: (function(call, "int") + "CREATE AGGREGATE gather(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MFINALFUNC = runs)",
                                                        "SELECT gather(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM generate_series(1, 5) AS g (a)"),
    "aggregate_in_parts": lambda call: (function(call, "int, int", marking="IMMUTABLE PARALLEL SAFE") + """CREATE AGGREGATE gather(int) (SFUNC = int4pl, STYPE = int, COMBINEFUNC = runs, PARALLEL = SAFE);
        CREATE TABLE parts (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF parts FOR VALUES IN (2); INSERT INTO parts SELECT 1 + g % 2 FROM generate_series(1, 2000) AS g; ANALYZE parts""",
        "SET enable_partitionwise_aggregate = on; SELECT gather(a) FROM parts"),
    "cast": lambda call: (PAIR + function(call, "pair", "text", "''''") + "CREATE CAST (pair AS text) WITH FUNCTION runs(pair)", "SELECT ROW(1)::pair::text"),
    "cast_on_assignment": lambda call: (PAIR + function(call, "pair", "int") + "CREATE CAST (pair AS int) WITH FUNCTION runs(pair) AS ASSIGNMENT; CREATE TABLE t (a int); CREATE TABLE u (a pair); INSERT INTO u VALUES (ROW(1))", "INSERT INTO t SELECT a FROM u"),
    "check_of_a_domain": lambda call: (function(call, "int", "boolean", "true") + "CREATE DOMAIN d AS int CHECK (runs(VALUE))", "SELECT 1::d"),
    "check_of_a_domain_read_from_a_literal": lambda call: (function(call, "int", "boolean", "true") + "CREATE DOMAIN d AS int CHECK (runs(VALUE)); CREATE TYPE inner_one AS (a d[])", "SELECT '(\"{1}\")'::inner_one"),
    "check_of_a_domain_over_a_record": lambda call: (function(call, "int", "boolean", "true") + "CREATE DOMAIN d AS int CHECK (runs(VALUE))", "SELECT * FROM jsonb_to_record('{\"a\": 1}') AS r (a d)"),
    "default_of_a_domain": lambda call: (function(call) + "CREATE DOMAIN d AS int DEFAULT runs(); CREATE TABLE t (a d, b int)", "INSERT INTO t (b) VALUES (1)"),
    "difference_of_a_range": lambda call: (function(call, "float8, float8", "float8") + "CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = runs); CREATE TABLE t AS SELECT span(g, g + 1) AS a FROM generate_series(1, 20) AS g", "ANALYZE t"),
    "order_of_a_type": lambda call: (operator_class(call), "SELECT a FROM (VALUES (ROW(1)::pair), (ROW(2)::pair)) AS v (a) ORDER BY a"),
    "equality_of_a_type": lambda call: (operator_family_member(call), "SELECT DISTINCT a FROM (VALUES (ROW(1)::pair), (ROW(1)::pair)) AS v (a)"),
    "output_of_a_type": lambda call: ("""CREATE TYPE odd; CREATE FUNCTION odd_in(cstring) RETURNS odd IMMUTABLE STRICT LANGUAGE internal AS 'textin'; CREATE FUNCTION odd_out(odd) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
        CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text, CATEGORY = 'A');""" + function(call, "odd", "bytea", "''''") + "ALTER TYPE odd SET (SEND = runs)", "COPY (SELECT 'a'::odd) TO STDOUT (FORMAT binary)"),
    # What a table runs when it is written.
    "default": lambda call: (function(call) + "CREATE TABLE t (a int, b int DEFAULT runs())", "INSERT INTO t (a) VALUES (1)"),
    "default_in_a_copy": lambda call: (function(call) + "CREATE TABLE t (a int, b int DEFAULT runs())", "INSERT INTO t VALUES (1, DEFAULT)"),
    "generated_column": lambda call: (function(call, "int") + "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (runs(a)) STORED)", "INSERT INTO t VALUES (1)"),
    "check": lambda call: (function(call, "int") + "CREATE TABLE t (a int CHECK (runs(a) = 1))", "INSERT INTO t VALUES (1)"),
    "check_that_is_validated": lambda call: (TABLE + function(call, "int") + "ALTER TABLE t ADD CONSTRAINT c CHECK (runs(a) = 1) NOT VALID", "ALTER TABLE t VALIDATE CONSTRAINT c"),
    "trigger": lambda call: (TABLE + trigger_function(call) + "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION runs()", "UPDATE t SET a = 1"),
    "trigger_of_a_statement": lambda call: (TABLE + trigger_function(call, "NULL") + "CREATE TRIGGER x AFTER TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION runs()", "TRUNCATE t"),
    "trigger_that_is_deferred": lambda call: (TABLE + trigger_function(call) + "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION runs()", "INSERT INTO t VALUES (1, 1)"),
    "condition_of_a_trigger": lambda call: (TABLE + function(call, "int", "boolean", "false", name="asks") + trigger_function("1") + "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW WHEN (asks(NEW.a)) EXECUTE FUNCTION runs()", "INSERT INTO t VALUES (1, 1)"),
    "trigger_behind_a_foreign_key": lambda call: (trigger_function(call, "OLD") + "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE child (a int REFERENCES t ON DELETE CASCADE); INSERT INTO t VALUES (1); INSERT INTO child VALUES (1); CREATE TRIGGER x BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION runs()", "DELETE FROM t"),
    "default_behind_a_foreign_key": lambda call: (function(call, marking="VOLATILE") + "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE child (a int DEFAULT runs() REFERENCES t ON DELETE SET DEFAULT); INSERT INTO t VALUES (1), (2); INSERT INTO child VALUES (2)", "DELETE FROM t WHERE a = 2"),
    "rule_on_insert": lambda call: (TABLE + f"CREATE RULE r AS ON INSERT TO t DO ALSO SELECT {call}", "INSERT INTO t VALUES (1, 1)"),
    "rule_on_update": lambda call: (TABLE + f"CREATE RULE r AS ON UPDATE TO t DO ALSO SELECT {call}", "UPDATE t SET a = 1"),
    "condition_of_a_rule": lambda call: (TABLE + function(call, "int", "boolean", "true") + "CREATE RULE r AS ON DELETE TO t WHERE runs(OLD.a) DO INSTEAD NOTHING", "DELETE FROM t"),
    "partition_key": lambda call: (function(call, "int") + "CREATE TABLE t (a int) PARTITION BY LIST (runs(a)); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", "INSERT INTO t VALUES (1)"),
    "partition_key_of_the_table_above": lambda call: (function(call, "int") + "CREATE TABLE t (a int) PARTITION BY LIST (runs(a)); CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", "INSERT INTO p VALUES (1)"),
    "exclusion": lambda call: (function(call, "int") + "CREATE TABLE t (a int, EXCLUDE USING btree (runs(a) WITH =))", "INSERT INTO t VALUES (1)"),
    "index": lambda call: (function(call, "int") + "CREATE TABLE t (a int); CREATE INDEX ON t (runs(a))", "INSERT INTO t VALUES (1)"),
    "predicate_of_an_index": lambda call: (function(call, "int") + "CREATE TABLE t (a int); CREATE INDEX ON t (a) WHERE runs(a) = 1", "INSERT INTO t VALUES (1)"),
    "index_that_is_made_anew": lambda call: (TABLE + function(call, "int") + "CREATE INDEX ON t (runs(a))", "REINDEX TABLE t"),
    "index_whose_table_is_written_anew": lambda call: (TABLE + function(call, "int") + "CREATE INDEX ON t (runs(a))", "ALTER TABLE t ALTER b TYPE bigint"),
    "statistics": lambda call: (TABLE + function(call, "int") + "CREATE STATISTICS s ON (runs(a)), b FROM t", "ANALYZE t"),
    "policy_that_checks": lambda call: (TABLE + function(call, "int", "boolean", "true") + "CREATE POLICY p ON t WITH CHECK (runs(a)); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; GRANT ALL ON t TO other", "SET ROLE other; INSERT INTO t VALUES (1, 1)"),
    # What runs when a table is read, or a statement planned.
    "policy": lambda call: (TABLE + function(call, "int", "boolean", "true") + "CREATE POLICY p ON t USING (runs(a)); ALTER TABLE t ENABLE ROW LEVEL SECURITY; GRANT ALL ON t TO other", "SET ROLE other; SELECT FROM t"),
    "view": lambda call: (f"CREATE VIEW v AS SELECT {call} AS a", "SELECT * FROM v"),
    "view_behind_a_view": lambda call: (f"CREATE VIEW v AS SELECT {call} AS a; CREATE VIEW w AS SELECT * FROM v", "COPY (SELECT * FROM w) TO STDOUT"),
    "materialized_view": lambda call: (function(call, marking="VOLATILE") + "CREATE MATERIALIZED VIEW v AS SELECT runs() AS a WITH NO DATA", "REFRESH MATERIALIZED VIEW v"),
    "index_that_is_planned": lambda call: (TABLE + function(call) + "CREATE INDEX ON t ((a + runs()))", "SELECT FROM t"),
    "predicate_of_an_index_that_is_planned": lambda call: (TABLE + function(call) + "CREATE INDEX ON t (a) WHERE a > runs()", "SELECT FROM t FOR UPDATE"),
    "check_that_is_planned": lambda call: ("CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE p PARTITION OF t FOR VALUES IN (1, 2);" + function(call) + "ALTER TABLE p ADD CHECK (a > runs() - 5)", "SELECT FROM t WHERE a = 1"),
    "statistics_that_are_planned": lambda call: (TABLE + function(call) + "CREATE STATISTICS s ON (a + runs()), b FROM t", "EXPLAIN SELECT FROM t"),
    "index_of_a_table_that_is_referred_to": lambda call: ("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE child (a int REFERENCES t);" + function(call) + "CREATE INDEX ON t ((a + runs()))", "INSERT INTO child VALUES (1)"),
    # What DDL runs.
    "event_trigger": lambda call: (trigger_function(call, None) + "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION runs()", "CREATE TABLE t (a int)"),
    "validator_of_a_wrapper": lambda call: (function(call, "text[], oid", "boolean", "true") + "CREATE FOREIGN DATA WRAPPER w VALIDATOR runs", "CREATE SERVER s FOREIGN DATA WRAPPER w"),
    "validator_of_a_language": lambda call: (function(call, "oid") + "CREATE LANGUAGE mine HANDLER plpgsql_call_handler VALIDATOR runs", "CREATE FUNCTION f() RETURNS int LANGUAGE mine AS 'BEGIN RETURN 1; END'"),
    "default_of_a_new_column": lambda call: (TABLE + function(call) + "CREATE DOMAIN d AS int DEFAULT runs()", "ALTER TABLE t ADD c d"),
    "name_in_pg_temp": lambda call: ("", f"CREATE FUNCTION pg_temp.runs() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM {call}; RETURN 1; END $$; SELECT pg_temp.runs(); DISCARD TEMP"),
}

# What is run: each leaves something else in the session.
CALLS = {"lock": "pg_try_advisory_lock(7)", "setting": "set_config('work_mem', '12345', false)"}
# Through the endpoint too: what it has read of the catalog is read anew. What lies outside of the schema goes with the functions it needs.
CLEAN = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC"


def cases(call):
    """(name, what is made, what is run)"""
    for name, way in WAYS.items():
        yield name, *way(CALLS[call])


def chosen(calls, choice):
    """For each of these expressions a way of calling it, by a random choice: the same."""
    for call in calls:
        name = choice.choice(list(WAYS))
        yield name, *WAYS[name](call)
