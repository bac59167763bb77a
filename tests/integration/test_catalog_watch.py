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
