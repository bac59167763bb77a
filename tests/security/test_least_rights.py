"""pgtandem's own sessions have the roles and the rights that docs/security.md names, and no more."""
import re
from pathlib import Path

import psycopg
import pytest
from endpoint import Served
from plain_servers import PlainServers
from proxy import Proxy
from tandem import ROOT, wait_for

OWN = ("pgtandem", "pgtandem_logins", "pgtandem_monitor", "pgtandem_catalog", "pgtandem_replication")
MANUAL = (ROOT / "docs" / "security.md").read_text()


def grants_of_the_manual():
    return MANUAL.split("```sql\n")[1].split("```")[0]


@pytest.fixture(scope="module")
def servers():
    with PlainServers(1) as servers:
        servers.configure(1, "log_statement = 'all'")
        servers.straight.sql(grants_of_the_manual())
        servers.straight.sql("ALTER ROLE tandem_endpoint PASSWORD 'of the endpoint'")
        servers.straight.sql("CREATE ROLE anna LOGIN PASSWORD 'of anna'")
        servers.wait_for_replicas(1, 2)
        (Path(servers.parent) / "endpoint.password").write_text("of the endpoint")
        yield servers


@pytest.fixture
def proxy(servers):
    with Proxy(servers, servers=servers.servers, auth_user="tandem_endpoint", auth_password_file=str(Path(servers.parent) / "endpoint.password")) as made:
        yield made


def test_an_ordinary_role_looks_up_logins_positions_and_catalogs(proxy):
    anna = proxy.place.at(user="anna", password="of anna")
    wait_for(lambda: anna.value("SELECT pg_is_in_recovery()"), "a read on the replica")
    assert anna.value("SELECT pg_is_in_recovery() /* pgtandem: primary */") is False
    assert "warning reading" not in proxy.log.read_text()


def refusals(servers):
    return re.findall(r"ERROR: +permission denied.*", (Path(servers.parent) / "log1").read_text())


def test_the_grants_of_the_manual_are_all_that_is_asked_for(servers, proxy):
    """Where pg_hba.conf takes in other files and folders, and was edited and not loaded."""
    anna = proxy.place.at(user="anna", password="of anna")
    folder, hba = servers.folder(1), servers.folder(1) / "pg_hba.conf"
    before = hba.read_text()
    takes_in = "" if servers.straight.value("SELECT current_setting('server_version_num')::int") < 160000 else "include_dir more\n"
    (folder / "more").mkdir()
    (folder / "more").chmod(0o755)
    for file in (folder / "users", folder / "more" / "one.conf"):
        file.write_text("anna\n" if file.name == "users" else "")
        file.chmod(0o644)
    hba.write_text(f"host all @users 127.0.0.1/32 scram-sha-256\n{takes_in}{before}")
    servers.straight.sql("SELECT pg_reload_conf()")
    wait_for(lambda: anna.value("SELECT 1") == 1, "a login by the new lines")
    hba.write_text(before)
    anna.value("SELECT 1")
    servers.straight.sql("SELECT pg_reload_conf()")
    anna.value("SELECT 1")
    assert refusals(servers) == []


def test_each_grant_of_the_manual_is_needed(servers):
    """One that was taken away is missed: logins fail, or the server's log says what was refused."""
    admin = servers.straight
    functions = re.findall(r"pg_\w+\([a-z, ]*\)", grants_of_the_manual())
    tables = re.search(r"SELECT ON ([\w, ]+) TO", grants_of_the_manual())[1].split(", ")
    assert set(functions) >= {"pg_ls_dir(text)", "pg_stat_file(text, boolean)"} and set(tables) >= {"pg_authid", "pg_hba_file_rules"}
    held = {f"has_table_privilege('tandem_endpoint', '{table}', 'SELECT')" for table in tables}
    held |= {f"has_function_privilege('tandem_endpoint', '{function}', 'EXECUTE')" for function in functions}
    for privilege in sorted(held):
        assert admin.value(f"SELECT {privilege}")
    with admin.connect() as session:
        session.execute("CREATE ROLE nobody_special LOGIN")
        for privilege in sorted(held):
            has = session.execute("SELECT " + privilege.replace("tandem_endpoint", "nobody_special")).fetchone()[0]
            assert not has, f"everybody has it: {privilege}"


class Watched(Served):
    """Whose servers log each login."""

    def __enter__(self):
        super().__enter__()
        self.tandem.up("--set", "log_connections=on", "--set", "max_connections=60")
        self.tandem.ok("down")
        self.tandem.up()
        return self

    def server(self, name):
        return self.straight.at(port=self.tandem.node_port(name))

    def own_sessions(self, name):
        """Role and database of each session of pgtandem's own on a server."""
        return self.server(name).sql(f"""SELECT usename, coalesce(datname, '') FROM pg_stat_activity
            WHERE application_name LIKE 'pgtandem%' AND backend_type = 'client backend' AND usename = ANY ('{{{",".join(OWN)}}}') ORDER BY 1, 2""")

    def logged_size(self, name):
        return sum(path.stat().st_size for path in self.tandem.folder.glob(f"nodes/{name}/log/*"))

    def own_logins(self, name, since=0):
        text = "".join(path.read_text(errors="replace") for path in sorted(self.tandem.folder.glob(f"nodes/{name}/log/*")))[since:]
        return [one for one in re.findall(r"connection authorized: user=(\w+)(?: database=(\S+))?", text) if one[0] in OWN]


@pytest.fixture(scope="module")
def watched():
    with Watched(1) as made:
        made.straight.sql("CREATE ROLE anna LOGIN PASSWORD 'of anna'")
        made.straight.sql("CREATE TABLE t (a int); GRANT SELECT, INSERT ON t TO anna")
        yield made


def use(watched):
    anna = watched.endpoint.at(user="anna", password="of anna")
    with anna.connect() as session:
        session.execute("INSERT INTO t VALUES (1)")
        for _ in range(20):
            session.execute("SELECT count(*) FROM t")
    return anna


def superusers(watched, name):
    return [one for one in watched.own_sessions(name) if one[0] == "pgtandem"]


def test_superuser_is_the_agent_of_the_primary_alone(watched):
    use(watched)
    wait_for(lambda: use(watched).value("SELECT pg_is_in_recovery()"), "a read on the replica")
    wait_for(lambda: superusers(watched, "node1") == [("pgtandem", "postgres")] and superusers(watched, "node2") == [], "no superuser but the agent")
    on_primary, on_replica = watched.own_sessions("node1"), watched.own_sessions("node2")
    database = watched.straight.dbname
    assert set(on_primary) - {("pgtandem", "postgres")} <= {("pgtandem_logins", "postgres"), ("pgtandem_monitor", "postgres"), ("pgtandem_catalog", database)}
    assert ("pgtandem_logins", "postgres") in on_primary and ("pgtandem_monitor", "postgres") in on_primary
    assert set(on_replica) == {("pgtandem_monitor", "postgres")}


def test_status_verify_logins_and_reads_take_no_superuser(watched):
    use(watched)
    since = {name: watched.logged_size(name) for name in ("node1", "node2")}
    watched.tandem.ok("status")
    assert watched.tandem.failed_checks() == {}
    use(watched)
    for name, size in since.items():
        logins = watched.own_logins(name, size)
        assert ("pgtandem_monitor", "postgres") in logins
        assert [one for one in logins if one[0] == "pgtandem"] == []


def test_the_own_roles_have_what_the_manual_says(watched):
    """No attribute, no other membership, nothing that they own; given back to them after each start."""
    admin = watched.straight.at(dbname="postgres")
    admin.sql("ALTER ROLE pgtandem_monitor SUPERUSER CREATEROLE CONNECTION LIMIT 0 VALID UNTIL '2001-01-01'")
    admin.sql("REVOKE SELECT ON pg_catalog.pg_authid FROM pgtandem_logins")
    wait_for(lambda: admin.value("SELECT has_table_privilege('pgtandem_logins', 'pg_authid', 'SELECT')"), "the grant to be given again")
    watched.tandem.ok("down")
    watched.tandem.up()
    roles = admin.sql("""SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, rolconnlimit
        FROM pg_roles WHERE rolname IN ('pgtandem_logins', 'pgtandem_monitor', 'pgtandem_catalog')""")
    assert sorted(roles) == [(name, False, -1) for name in ("pgtandem_catalog", "pgtandem_logins", "pgtandem_monitor")]
    members = admin.sql("SELECT member::regrole::text, roleid::regrole::text FROM pg_auth_members WHERE member::regrole::text LIKE 'pgtandem%'")
    is_16 = admin.value("SELECT current_setting('server_version_num')::int") >= 160000
    more = {("pgtandem_logins", "pg_use_reserved_connections"), ("pgtandem_monitor", "pg_use_reserved_connections")} if is_16 else set()
    assert set(members) == {("pgtandem_logins", "pg_read_all_settings"), ("pgtandem_monitor", "pg_monitor")} | more
    granted = admin.sql("""SELECT grantee::regrole::text, object FROM
        (SELECT (aclexplode(relacl)).grantee, relname::text AS object FROM pg_class UNION
         SELECT (aclexplode(proacl)).grantee, oid::regprocedure::text FROM pg_proc) given WHERE grantee::regrole::text LIKE 'pgtandem\\_%'""")
    files = {"pg_hba_file_rules", "pg_file_settings", "pg_hba_file_rules()", "pg_show_all_file_settings()"}
    logins = {*files, "pg_authid", "pg_read_binary_file(text)", "pg_stat_file(text,boolean)", "pg_ls_dir(text)"}
    assert set(granted) == {("pgtandem_logins", name) for name in logins} | {("pgtandem_monitor", name) for name in files}


@pytest.mark.parametrize("user", OWN[:4])
def test_nobody_logs_in_as_one_of_them(watched, user):
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        watched.endpoint.at(user=user, password="whatever").connect()


def fill(place):
    """Takes all places that ordinary roles can have."""
    held = []
    while True:
        try:
            held.append(place.connect())
        except psycopg.OperationalError as refused:
            assert "reserved" in str(refused) or "too many" in str(refused)
            return held


ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('pgtandem_logins', 'pgtandem_monitor')"


def test_where_all_ordinary_connections_are_taken_the_reserve_comes_in_and_goes_again(watched):
    anna = use(watched)
    straight = watched.straight.at(user="anna", password="of anna")
    with watched.straight.connect() as admin:
        held = fill(straight)
        try:
            admin.execute(ENDED)
            # A backend of the pool serves it; that it may come in, the login desk has to look up.
            wait_for(lambda: logs_in(anna), "a login while all is taken")
            assert watched.tandem.node("node1")["state"] == "running"
        finally:
            for session in held:
                session.close()
    wait_for(lambda: superusers(watched, "node1") == [("pgtandem", "postgres")], "the roles to come in again")


def logs_in(place):
    try:
        return place.value("SELECT 1") == 1
    except psycopg.OperationalError:
        return False


def test_a_file_outside_the_data_folder_is_read_by_the_reserve_or_by_a_grant(watched):
    anna = use(watched)
    admin = watched.straight.at(dbname="postgres")
    hba, outside = watched.tandem.folder / "nodes/node1/data/pg_hba.conf", watched.tandem.parent / "users"
    before = hba.read_text()
    outside.write_text("anna\n")
    outside.chmod(0o644)
    try:
        hba.write_text(f"host all @{outside} 127.0.0.1/32 scram-sha-256\n{before}")
        admin.sql("SELECT pg_reload_conf()")
        wait_for(lambda: logs_in(anna), "a login")
        assert ("pgtandem", "postgres") in watched.own_logins("node1")
        admin.sql("GRANT pg_read_server_files TO pgtandem_logins")
        wait_for(lambda: logs_in(anna) and superusers(watched, "node1") == [("pgtandem", "postgres")], "the reserve to make way", 40)
    finally:
        hba.write_text(before)
        admin.sql("REVOKE pg_read_server_files FROM pgtandem_logins")
        admin.sql("SELECT pg_reload_conf()")
    wait_for(lambda: logs_in(anna), "a login")


def test_a_cluster_from_before_the_roles_gets_them_and_a_replica_that_does_not_know_them_is_still_watched(watched):
    admin, replica = watched.straight.at(dbname="postgres"), watched.server("node2")
    anna = use(watched)
    internal = watched.tandem.folder / "internal.env"

    def forget():
        internal.write_text("".join(line for line in internal.read_text().splitlines(keepends=True) if not line.startswith(("LOGINS_", "MONITOR_"))))
    replica.sql("SELECT pg_wal_replay_pause()")
    for role in ("pgtandem_logins", "pgtandem_monitor"):
        admin.sql(f"ALTER ROLE {role} PASSWORD 'another'")
    # With a password that the servers do not know, and with none: the reserve.
    assert watched.tandem.node("node1")["state"] == "running" and watched.tandem.node("node2")["state"] == "paused"
    forget()
    assert watched.tandem.node("node1")["state"] == "running" and watched.tandem.node("node2")["state"] == "paused"
    admin.sql(ENDED)
    wait_for(lambda: logs_in(anna), "a login by the reserve")
    replica.sql("SELECT pg_wal_replay_resume()")
    watched.tandem.up("--takeover")
    assert "MONITOR_PASSWORD" in internal.read_text() and "LOGINS_PASSWORD" in internal.read_text()
    assert logs_in(anna)
    wait_for(lambda: superusers(watched, "node1") == [("pgtandem", "postgres")] and superusers(watched, "node2") == [], "the roles to come in")
    assert watched.tandem.failed_checks() == {}
