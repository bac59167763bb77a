"""Statements that call each function and use each operator of a database's catalog, plain and from within what calls without being named: a
function, a view, a default, a rule, a cast. For looking at what they leave in the session."""
# Left out by name, each with its reason.
HARMFUL = {
    "pg_terminate_backend": "ends other sessions", "pg_cancel_backend": "disturbs other sessions",
    "pg_reload_conf": "loads the server's configuration anew", "pg_rotate_logfile": "is the server's log's", "pg_rotate_logfile_old": "is the server's log's",
    "pg_promote": "is the replica's", "pg_wal_replay_pause": "is the replica's", "pg_wal_replay_resume": "is the replica's",
    "pg_switch_wal": "makes a new segment of WAL with each call", "pg_sleep": "only waits", "pg_sleep_for": "only waits", "pg_sleep_until": "only waits",
    "pg_drop_replication_slot": "may take the replica's slot", "pg_replication_slot_advance": "may move the replica's slot",
    "lo_export": "writes files of the server", "pg_file_write": "writes files of the server", "pg_file_unlink": "removes files of the server",
    "pg_file_rename": "renames files of the server", "pg_file_sync": "writes files of the server",
    "pg_stat_reset": "loses what the server has counted", "pg_import_system_collations": "takes seconds",
    "pg_create_physical_replication_slot": "keeps WAL for ever", "pg_create_logical_replication_slot": "keeps WAL for ever",
    "pg_copy_physical_replication_slot": "keeps WAL for ever", "pg_copy_logical_replication_slot": "keeps WAL for ever",
    "pg_advisory_lock": "waits for others", "pg_advisory_lock_shared": "waits for others",
    "pg_advisory_xact_lock": "waits for others", "pg_advisory_xact_lock_shared": "waits for others",
    "pg_isolation_test_session_is_blocked": "is a test of the server's own", "pg_log_backend_memory_contexts": "fills the server's log",
    "binary_upgrade_create_empty_extension": "is pg_upgrade's", "database_to_xml": "writes out all of the database",
    "database_to_xml_and_xmlschema": "writes out all of the database", "schema_to_xml": "writes out all of the schema",
    "schema_to_xml_and_xmlschema": "writes out all of the schema",
}

# A value for each type of an argument; NULL for others.
VALUES = {
    "text": "'session_replication_role'", "name": "'t'", "int4": "1", "int8": "7", "int2": "1", "bool": "false", "oid": "1259", "regclass": "'numbers'",
    "float8": "0.5", "float4": "0.5", "numeric": "1", "\"char\"": "'r'", "char": "'r'", "date": "'2020-01-01'", "timestamptz": "'2020-01-01'",
    "timestamp": "'2020-01-01'", "interval": "'1 s'", "time": "'10:00'", "json": "'{\"a\": 1}'", "jsonb": "'{\"a\": 1}'", "_text": "'{a,b}'", "_int4": "'{1,2}'",
    "bytea": "'abc'", "uuid": "'00000000-0000-0000-0000-000000000001'", "tsquery": "'a & b'", "tsvector": "'a b'", "inet": "'10.0.0.1'", "varchar": "'a'",
    "bpchar": "'a'", "xml": "'<a/>'", "point": "'(1,2)'", "anyelement": "1", "anyarray": "ARRAY[1]", "anynonarray": "1", "any": "1", "regproc": "'lower'",
    "pg_lsn": "'0/1'", "refcursor": "'c'", "bit": "B'1'", "varbit": "B'1'", "cidr": "'10.0.0.0/8'", "money": "'1'", "jsonpath": "'$'", "int4range": "'[1,2)'",
}
# What the settings' functions take is told by their arguments' places.
SPECIAL = {
    "set_config": ["set_config('work_mem', '12345', false)", "set_config('my.own', 'x', false)", "set_config('role', 'other', false)"],
    "setseed": ["setseed(0.5)"], "nextval": ["nextval('numbers')"], "setval": ["setval('numbers', 5)"], "lastval": ["lastval()"],
    "query_to_xml": ["query_to_xml('select set_config(''work_mem'', ''12345'', false)', true, true, '')"],
    "query_to_xmlschema": ["query_to_xmlschema('select set_config(''work_mem'', ''12345'', false)', true, true, '')"],
    "ts_stat": ["ts_stat('select to_tsvector(set_config(''work_mem'', ''12345'', false))')"],
    "ts_rewrite": ["ts_rewrite('a & b', 'select ''a''::tsquery, set_config(''my.own'', ''b'', false)::tsquery')"],
    "crosstab": ["crosstab('select ''1''::text, ''2''::text, set_config(''my.own'', ''b'', false)')"],
    "dblink_connect": ["dblink_connect('dbname=postgres user=postgres')"],
    "table_to_xml": ["table_to_xml('setting_view', true, true, '')"], "cursor_to_xml": [],
}

# What calls name.
NAMED = "CREATE SEQUENCE numbers; CREATE VIEW setting_view AS SELECT set_config('work_mem', '12345', false);"
SETUP = f"{NAMED} CREATE TABLE t (a int);"

FUNCTIONS = """
SELECT p.proname, n.nspname, p.provolatile, p.proretset, p.prokind, pg_catalog.format_type(p.prorettype, NULL),
    ARRAY(SELECT y.typname FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (id, place)
          JOIN pg_catalog.pg_type y ON y.oid = a.id ORDER BY a.place)::text[]
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind = 'f' AND n.nspname IN ('pg_catalog', 'public')
  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) AS a (id) WHERE a.id IN ('internal'::regtype, 'cstring'::regtype))
  AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype, 'language_handler'::regtype, 'index_am_handler'::regtype,
                           'fdw_handler'::regtype, 'tsm_handler'::regtype)
ORDER BY 1, 7
"""

OPERATORS = """
SELECT o.oprname, l.typname, r.typname FROM pg_catalog.pg_operator o
LEFT JOIN pg_catalog.pg_type l ON l.oid = o.oprleft LEFT JOIN pg_catalog.pg_type r ON r.oid = o.oprright ORDER BY 1, 2, 3
"""


def value(type_name):
    name = "text" if type_name == "any" else type_name
    known = VALUES.get(type_name, "NULL")
    return known if name.startswith("any") or type_name == "any" else f"{known}::pg_catalog.{quoted(name)}" if known != "NULL" else "NULL"


def quoted(name):
    return '"' + name.strip('"') + '"'


def calls(place):
    """Each function's call, as an expression that may stand in a SELECT: (name, whether it is VOLATILE, the call)."""
    for name, schema, volatility, _, _, _, types in place.sql(FUNCTIONS):
        if name in HARMFUL or name.startswith(("binary_upgrade_", "pg_stat_reset", "pg_ls_", "pg_wal_replay", "pg_logical_slot")):
            continue
        if name in SPECIAL:
            yield from ((name, volatility, text) for text in SPECIAL[name])
        else:
            yield name, volatility, f"{quoted(schema)}.{quoted(name)}({', '.join(map(value, types))})"


def uses_of_operators(place):
    for symbol, left, right in place.sql(OPERATORS):
        yield symbol, "i", f"{value(left) if left else ''} {symbol} {value(right) if right else ''}"


def statements(place):
    """(name, what is made before, what is run): plain, and within what calls it."""
    for number, (name, volatility, call) in enumerate([*dict.fromkeys(calls(place)), *dict.fromkeys(uses_of_operators(place))]):
        yield name, None, f"SELECT {call}"
        inside = call.replace("'", "''")
        marking = {"v": "VOLATILE", "s": "STABLE", "i": "IMMUTABLE"}[volatility]
        made = {
            "function": f"CREATE FUNCTION f{number}() RETURNS void {marking} LANGUAGE sql AS 'SELECT {inside}'",
            "stable": f"CREATE FUNCTION s{number}() RETURNS void STABLE LANGUAGE plpgsql AS 'BEGIN PERFORM {inside}; END'",
            "volatile": f"CREATE FUNCTION w{number}() RETURNS void VOLATILE LANGUAGE plpgsql AS 'BEGIN PERFORM {inside}; END'",
            "view": f"CREATE VIEW v{number} AS SELECT {call} AS c",
            "default": f"CREATE TABLE d{number} (a int, b text DEFAULT CAST({call} AS text))",
            "rule": f"CREATE TABLE r{number} (a int); CREATE RULE r AS ON INSERT TO r{number} DO ALSO SELECT {call}",
        }
        run = {"function": f"SELECT f{number}()", "stable": f"SELECT s{number}()", "volatile": f"SELECT w{number}()", "view": f"SELECT c FROM v{number}",
               "default": f"INSERT INTO d{number} (a) VALUES (1)", "rule": f"INSERT INTO r{number} VALUES (1)"}
        for way, text in made.items():
            yield f"{name} in a {way}", text, run[way]
