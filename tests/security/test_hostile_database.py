"""The owner of a database makes operators, functions, views and types that come before PostgreSQL's own: pgtandem, and a superuser who
connects there through the endpoint, calls none of them (CVE-2018-1058)."""
import re

import psycopg
import pytest
from endpoint import Served
from hostile_database import MARK, OWNER, is_armed, lay_trap
from sql_names import unqualified
from tandem import VERSION, wait_for

# Settings that the owner of a database can give to whoever connects to it.
HARMFUL = {"default_transaction_read_only": "on", "default_transaction_isolation": "serializable", "statement_timeout": "1", "lock_timeout": "1",
           "role": OWNER, "standard_conforming_strings": "off", "client_encoding": "latin1", "datestyle": "german", "intervalstyle": "sql_standard",
           "bytea_output": "escape", "timezone": "'Asia/Tokyo'", "transform_null_equals": "on", "array_nulls": "off", "quote_all_identifiers": "on"}
TIMEOUTS = {"idle_session_timeout": "20", **({"transaction_timeout": "1"} if VERSION >= 17 else {})}
HARMFUL |= TIMEOUTS


class Trapped(Served):
    """The database that all of pgtandem's sessions begin with, and that the cluster's user has, belongs to somebody else."""

    def __enter__(self):
        super().__enter__()
        words = ["log_statement=all", "log_line_prefix=%a|%d|"]
        self.tandem.up(*[part for word in words for part in ("--set", word)])
        self.owner = lay_trap(self.straight, "postgres")
        is_armed(self.owner)
        caught = self.calls()
        assert all(any(kind in call for call in caught) for kind in ("operator =", "function pg_is_in_recovery", "view pg_class", "type text")), caught
        self.seen = self.log_size()
        self.restart()
        # That of an ordinary role with CREATEDB: the catalog watch goes there, and a superuser who connects.
        self.owner.at(dbname="template1").sql("CREATE DATABASE lair")
        lay_trap(self.straight, "lair")
        return self

    def restart(self):
        """So that all of pgtandem's sessions are new."""
        self.tandem.ok("down")
        self.tandem.up()

    def logs(self):
        return sorted(self.tandem.folder.glob("nodes/*/log/*"))

    def log_size(self):
        return {path: path.stat().st_size for path in self.logs()}

    def logged(self):
        """What the servers have logged since the trap was tried: lists of lines, each with those that go on with it."""
        entries = []
        for path in self.logs():
            text = path.read_bytes()[getattr(self, "seen", {}).get(path, 0):].decode(errors="replace")
            for line in text.splitlines():
                if line.startswith("\t") and entries:
                    entries[-1] += "\n" + line[1:]
                else:
                    entries.append(line)
        return entries

    def calls(self):
        return [entry for entry in self.logged() if "LOG:  " + MARK in entry]

    def assert_unharmed(self):
        assert self.calls() == []
        assert self.straight.at(dbname="template1").value(f"SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) '{OWNER}'") is False


@pytest.fixture(scope="module")
def served():
    with Trapped(1) as made:
        yield made


def use(place):
    """Statements that look nothing up along the search_path themselves; they make the endpoint ask, probe, set and reset."""
    with place.connect() as one, place.connect() as other:
        one.execute("CREATE SCHEMA IF NOT EXISTS used")
        one.execute("CREATE TABLE IF NOT EXISTS used.t (a int)")
        one.execute("CREATE SEQUENCE IF NOT EXISTS used.s")
        for session in (one, other):
            session.execute("SET work_mem = '3MB'")
            session.execute("SET my.own = 'x'")
            session.execute("INSERT INTO used.t VALUES (1)")
            session.execute("TABLE used.t", prepare=True)
            session.execute("SELECT pg_catalog.nextval('used.s')")
            session.execute("RESET work_mem")
            with session.transaction():
                session.execute("SELECT pg_catalog.set_config('search_path', 'used', true)")
            session.execute("TABLE used.t", prepare=True)
        one.execute("CREATE TEMPORARY TABLE pg_temp.mine (a int)")
    place.sql("VALUES (1)")


def test_nothing_of_the_owner_is_called(served):
    tandem = served.tandem
    tandem.assert_proven(1)
    tandem.ok("status")
    for place in (served.endpoint, served.endpoint.at(port=served.endpoint_port + 1)):
        place.sql("VALUES (1)")
    use(served.endpoint)
    for command in ("SHOW POOLS", "SHOW SERVERS", "SHOW PINS", "SHOW CLIENTS"):
        served.console(command)
    tandem.ok("replica", "add", "node3")
    tandem.ok("verify")
    tandem.ok("replica", "remove", "node3")
    use(served.endpoint)
    served.assert_unharmed()


def test_in_a_database_that_its_owner_has_made(served):
    use(served.endpoint.at(dbname="lair"))
    served.endpoint.at(dbname="lair").sql("CREATE TABLE used.another (a int)")
    use(served.endpoint.at(dbname="lair"))
    served.assert_unharmed()


def test_who_reads_the_catalogs_has_no_rights(served):
    """Also where only some may connect, and in a cluster that was made before that role existed."""
    straight = served.straight.at(dbname="template1")
    internal = served.tandem.folder / "internal.env"
    served.tandem.ok("down")
    internal.write_text("".join(line for line in internal.read_text().splitlines(keepends=True) if "CATALOG" not in line))
    served.tandem.up()
    straight.sql("CREATE DATABASE closed")
    straight.sql("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    closed = served.endpoint.at(dbname="closed")
    # A session that began before the role was let in stays on the primary.
    wait_for(lambda: closed.value("SELECT pg_catalog.pg_is_in_recovery()"), "a read on the replica")
    served.endpoint.at(dbname="lair").sql("VALUES (1)")
    own = straight.sql("""SELECT DISTINCT s.datname, s.usename FROM pg_catalog.pg_stat_activity s
                          WHERE s.application_name OPERATOR(pg_catalog.=) 'pgtandem'""")
    assert {("closed", "pgtandem_catalog"), ("lair", "pgtandem_catalog")} <= set(own)
    assert {database for database, user in own if user != "pgtandem_catalog"} == {"postgres"}
    role = straight.sql("""SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
                           ARRAY(SELECT m.roleid FROM pg_catalog.pg_auth_members m WHERE m.member OPERATOR(pg_catalog.=) r.oid)
                           FROM pg_catalog.pg_roles r WHERE r.rolname OPERATOR(pg_catalog.=) 'pgtandem_catalog'""")
    assert role == [(False, False, False, False, False, [])]
    refused = served.endpoint.at(user="pgtandem_catalog", password="x")
    with pytest.raises(psycopg.OperationalError):
        refused.connect()


def test_each_statement_names_all_as_postgresqls_own(served):
    """Also what no operator can be made for: all that was sent, as the servers' logs have it."""
    served.tandem.ok("verify")
    for database in ("postgres", "lair"):
        use(served.endpoint.at(dbname=database))
    found = {}
    statements = 0
    for entry in served.logged():
        if said := re.match(r"([^|]*)\|[^|]*\|LOG:  (?:statement|execute [^:]*): (.*)", entry, re.DOTALL):
            statements += 1
            if left := unqualified(said[2]):
                found[said[2]] = left
    assert statements > 50
    assert found == {}


def test_the_owners_settings_change_nothing(served):
    straight = served.straight.at(dbname="template1")
    for name, value in HARMFUL.items():
        straight.sql(f"ALTER DATABASE postgres SET {name} = {value}")
        # A newer server's timeouts cut short what the cluster's user does itself, as the proof that it replicates.
        if name in TIMEOUTS:
            straight.sql(f"ALTER ROLE {straight.user} SET {name} = 0")
    try:
        served.restart()
        served.tandem.assert_proven(1)
        straight.sql("CREATE DATABASE calm")
        with served.endpoint.at(dbname="calm").connect() as session:
            session.execute("CREATE TABLE t (a int)")
            wait_for(lambda: session.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()[0], "a read on the replica")
    finally:
        for name in HARMFUL:
            straight.sql(f"ALTER DATABASE postgres RESET {name}")
        for name in TIMEOUTS:
            straight.sql(f"ALTER ROLE {straight.user} RESET {name}")
    served.assert_unharmed()
