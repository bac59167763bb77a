"""What the endpoint knows of a database's catalog follows the catalog, whoever changes it."""
from endpoint import served_for
from tandem import wait_for

served = served_for()


def pins_after(served, statement):
    """The reasons for which the endpoint keeps the backend of a client that has run the statement."""
    with served.endpoint.connect() as client:
        client.execute(statement)
        return [row["pins"] for row in served.console("SHOW PINS") if row["statement"].startswith(statement)]


def test_a_change_that_began_earlier_and_committed_later_is_not_missed(served):
    """Transaction ids are given at the beginning: the newest id says nothing of what commits after it."""
    straight = served.straight
    straight.sql("""CREATE FUNCTION leaves_state() RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN PERFORM set_config('kept.mark', 'set', false); RETURN 1; END $$""")
    straight.sql("CREATE TABLE filled (a int DEFAULT 0)")
    with straight.connect() as older:
        older.autocommit = False
        older.execute("ALTER TABLE filled ALTER COLUMN a SET DEFAULT leaves_state()")
        straight.sql("CREATE TABLE newer (b int DEFAULT 1)")
        wait_for(lambda: pins_after(served, "SELECT b FROM newer") == [], "the catalog to be read with the newer change")
        older.commit()
    wait_for(lambda: pins_after(served, "INSERT INTO filled DEFAULT VALUES") == ["unproven"], "the older change to be seen")


TRIGGERED = """
CREATE TABLE dated (id serial PRIMARY KEY, n int, at timestamptz);
CREATE TABLE history (n int);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.at := now(); INSERT INTO history VALUES (NEW.n) ON CONFLICT DO NOTHING; UPDATE history SET n = n + 0; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION add_dated(n int) RETURNS int LANGUAGE sql AS $$ INSERT INTO dated (n) VALUES (n) RETURNING id $$;
CREATE PROCEDURE dates(n int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO dated (n) VALUES (n); COMMIT; PERFORM add_dated(n); END $$;
"""


def test_functions_and_triggers_that_only_touch_tables_tie_nobody(served):
    served.straight.sql(TRIGGERED)
    for statement in ("INSERT INTO dated (n) VALUES (1)", "UPDATE dated SET n = 2", "SELECT add_dated(3)", "CALL dates(4)",
                      "DO $$ BEGIN PERFORM add_dated(5); COMMIT; INSERT INTO dated (n) VALUES (6); END $$"):
        wait_for(lambda statement=statement: pins_after(served, statement) == [], f"{statement}: to be known")


def test_maintenance_of_tables_that_call_nothing_ties_nobody(served):
    """Also where tables have functions in their expressions; the rule of pg_settings is not theirs."""
    served.straight.sql("CREATE TABLE kept_well (a int, b int GENERATED ALWAYS AS (abs(a)) STORED)")
    for statement in ("VACUUM kept_well", "ANALYZE", "REINDEX TABLE kept_well"):
        assert pins_after(served, statement) == []


def test_a_function_that_sets_something_ties_whoever_reaches_it(served):
    served.endpoint.sql("""
        CREATE TABLE marked (n int);
        CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN SET kept.by_trigger = 'mine'; RETURN NEW; END $$;
        CREATE TRIGGER mark BEFORE INSERT ON marked FOR EACH ROW EXECUTE FUNCTION mark();
        CREATE FUNCTION reaches_mark() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO marked VALUES (1); END $$;
        CREATE FUNCTION by_text() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SET kept.by_text = 1'; END $$;
        CREATE PROCEDURE marks() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO marked VALUES (1); END $$""")
    for statement in ("INSERT INTO marked VALUES (1)", "SELECT reaches_mark()", "SELECT by_text()", "CALL marks()",
                      "DO $$ BEGIN INSERT INTO marked VALUES (1); END $$", "DO $$ BEGIN SET kept.by_trigger = 'mine'; END $$"):
        wait_for(lambda statement=statement: pins_after(served, statement) == ["unproven"], f"{statement}: to tie its session")
    for _ in range(30):
        assert served.endpoint.value("SELECT current_setting('kept.by_trigger', true)") in (None, "")


def test_of_a_language_that_is_not_known_anything_is_expected(served):
    """In PL/pgSQL this would be a comment; elsewhere nobody knows whether it carries out a text, which may call anything."""
    served.straight.sql("""
        CREATE TABLE locked (n int);
        CREATE LANGUAGE another HANDLER plpgsql_call_handler;
        CREATE FUNCTION in_another() RETURNS int STABLE LANGUAGE another AS $$ BEGIN RETURN 1; -- "pg_advisory_lock(1)"
            END $$;
        CREATE FUNCTION in_plpgsql() RETURNS int STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN 1; -- "pg_advisory_lock(1)"
            END $$""")
    wait_for(lambda: pins_after(served, "SELECT in_another() FROM locked FOR UPDATE") == ["unproven"], "its code to be read")
    assert pins_after(served, "SELECT in_plpgsql() FROM locked FOR UPDATE") == []
