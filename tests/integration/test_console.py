"""The console, database "pgtandem": what it shows, what it does, and to whom."""
import psycopg
import pytest
import wire_messages as wire
from endpoint import served_for
from login import refusal
from tandem import wait_for
from wire_client import WireClient, describe, errors, state, values

served = served_for(pool_size=5, console_admins="a_console_admin, somebody", console_readers="a_console_reader")
COLUMNS = {
    "POOLS": "database user cl_active cl_waiting sv_active sv_idle sv_used sv_login maxwait maxwait_us pool_mode cl_idle sv_pinned node",
    "CLIENTS": "type user database replication state addr port connect_time wait wait_us ptr link remote_pid tls application_name "
               "prepared_statements id pins node",
    "SERVERS": "type user database state addr port remote_pid link prepared_statements node",
    "STATS": "database total_xact_count total_query_count total_wait_time total_login_count sharing_checks sharing_faults",
    "NODES": "node role usable addr port replayed lag_ms in_use why_unusable",
    "ROUTES": "database kind name count detail",
    "PINS": "id user database application_name backend_pid node pins statement",
    "MEM": "name used limit",
    "CONFIG": "key value default changeable",
    "VERSION": "version",
    "HELP": "command does",
}


@pytest.fixture
def console(endpoint):
    place = endpoint.at(dbname="pgtandem")
    with WireClient(place).log_in() as client:
        yield client
    with WireClient(place).log_in() as client:
        client.query("RESUME")


def columns(answer):
    assert errors(answer) == [], [describe(found) for found in answer]
    body = next(found.body for found in answer if found.kind == "T")
    names, at = [], 2
    while at < len(body):
        end = body.index(b"\0", at)
        names.append(body[at:end].decode())
        at = end + 19
    return names


def shown(console, what):
    answer = console.query(f"SHOW {what}")
    return [dict(zip(columns(answer), row)) for row in values(answer)]


def clients(console, name):
    return [row for row in shown(console, "CLIENTS") if row["application_name"] == name]


def error(answer):
    found, = [wire.error_fields(found.body) for found in answer if found.kind == "E"]
    return found


# --- looking


@pytest.mark.parametrize("what", COLUMNS)
def test_what_is_shown_has_the_columns_that_are_known(console, what):
    for spelling in (f"SHOW {what}", f"show {what.lower()} ; ", f"\n Show\t{what};;"):
        assert columns(console.query(spelling)) == COLUMNS[what].split()


def test_help_names_everything(console):
    commands = [row["command"] for row in shown(console, "HELP")]
    for what in COLUMNS:
        assert what == "HELP" or f"SHOW {what}" in commands
    assert {"PAUSE", "RESUME", "RECONNECT", "RELOAD", "KILL"} <= {command.split()[0] for command in commands}


def test_clients_backends_pools_and_pins_are_shown(endpoint, console):
    with WireClient(endpoint).log_in(application_name="looked at") as client:
        client.query("BEGIN; SELECT 1; LISTEN bell")
        row, = clients(console, "looked at")
        assert (row["user"], row["database"], row["addr"], row["state"], row["replication"]) == \
            (endpoint.user, endpoint.dbname, "127.0.0.1", "active", "no")
        assert int(row["port"]) == client.socket.getsockname()[1] and int(row["remote_pid"]) == client.pid
        assert any(server["remote_pid"] == row["link"] and server["link"] == row["id"] for server in shown(console, "SERVERS"))
        pin, = [pin for pin in shown(console, "PINS") if pin["id"] == row["id"]]
        assert pin["application_name"] == "looked at" and pin["pins"] and pin["statement"]
        pool, = [pool for pool in shown(console, "POOLS") if (pool["database"], pool["user"]) == (endpoint.dbname, endpoint.user)]
        assert int(pool["cl_active"]) == int(pool["sv_active"]) + int(pool["sv_pinned"]) >= 1
        assert pool["pool_mode"] == "transparent"
    wait_for(lambda: clients(console, "looked at") == [], "the client to be gone")


def test_totals_nodes_settings_and_version_are_shown(served, endpoint, console):
    def total():
        return {row["database"]: row for row in shown(console, "STATS")}[endpoint.dbname]
    endpoint.value("SELECT 1")
    before = total()
    with WireClient(endpoint).log_in() as client:
        for _ in range(3):
            client.query("SELECT 1")
        assert int(total()["total_query_count"]) - int(before["total_query_count"]) == 3
        assert int(total()["total_xact_count"]) - int(before["total_xact_count"]) == 3
        assert int(total()["total_login_count"]) - int(before["total_login_count"]) == 1
    nodes = [(node["node"], node["role"], node["usable"]) for node in shown(console, "NODES")]
    assert nodes == [("node1", "primary", "yes"), *((f"node{number}", "replica", "yes") for number in range(2, served.replicas + 2))]
    config = {row["key"]: row for row in shown(console, "CONFIG")}
    assert (config["pool_size"]["value"], config["pool_size"]["default"], config["pool_size"]["changeable"]) == ("5", "20", "yes")
    assert config["port"]["changeable"] == "no"
    assert shown(console, "VERSION")[0]["version"].startswith("pgtandem 0.")


@pytest.mark.parametrize("command, says, tries", [
    ("SHOW POOL", "POOL", "POOLS"), ("SHOW nothing of the kind", "NOTHING OF THE KIND", "SHOW HELP"), ("SHOW", "''", "SHOW HELP"),
    ("PAWS", "PAWS", "PAUSE"), ("SELECT 1", "SELECT", ""), ("KILL", "KILL needs", ""), ("\"", "\"", ""), ("DROP TABLE x", "DROP", "")])
def test_what_is_unknown_is_said_with_what_is_near(console, command, says, tries):
    said = error(console.query(command))
    assert said["C"] == "42601" and says in said["M"] and tries in said.get("H", "")
    assert console.query("SHOW VERSION")


@pytest.mark.parametrize("command", ["KILL CLIENT 0", "KILL CLIENT x", "KILL CLIENT 999999999999999999999999"])
def test_a_client_that_is_not_there_cannot_be_killed(console, command):
    assert error(console.query(command))["C"] == "55000"


def test_simple_queries_only(console):
    console.send(wire.parse("SHOW POOLS"), wire.bind(), wire.execute(), wire.sync())
    answer = console.until("Z")
    assert errors(answer) == ["0A000"]
    assert shown(console, "VERSION")


def test_psql_and_drivers_work_on_it(endpoint):
    place = endpoint.at(dbname="pgtandem")
    done = place.run("psql", "-X", "-A", "-t", "-c", "SHOW NODES", "-c", "SHOW VERSION")
    assert done.returncode == 0 and done.stdout.startswith("node1|primary|yes|"), done
    done = place.run("psql", "-X", "-c", "NO SUCH COMMAND")
    assert done.returncode == 1 and "there is no command 'NO'" in done.stderr
    with place.connect() as session:
        for _ in range(10):
            assert session.execute("SHOW NODES", prepare=False).fetchone()[0] == "node1"
        session.execute("SET application_name TO 'x'")


# --- acting


def ask_until_it_waits(served, client, sql):
    """Asks again and again until a question waits for its answer: then a pause holds. That one is still to be answered."""
    client.send(wire.query(sql))

    def is_held():
        if client.try_receive(0):
            client.until("Z")
            client.send(wire.query(sql))
        return [row for row in served.console("SHOW CLIENTS") if row["state"] == "waiting"]
    wait_for(is_held, "the pause to hold")


@pytest.mark.parametrize("database", ["", " postgres", " \"postgres\""])
def test_pause_lets_transactions_end_and_keeps_new_ones_waiting(served, endpoint, console, database):
    with WireClient(endpoint).log_in() as busy, WireClient(endpoint).log_in() as later:
        busy.query("BEGIN; SELECT 1")
        console.send(wire.query(f"PAUSE{database}"))
        ask_until_it_waits(served, later, "SELECT 'served'")
        assert busy.value("SELECT 'still'") == "still"
        busy.query("COMMIT")
        assert errors(console.until("Z")) == []
        assert later.try_receive(0) is None
        assert errors(console.query(f"RESUME{database}")) == []
        assert values(later.until("Z")) == [["served"]]
        assert busy.value("SELECT 'again'") == "again"


def test_a_pause_of_another_database_disturbs_nobody(endpoint, console):
    assert errors(console.query("PAUSE template1")) == []
    assert endpoint.value("SELECT 1") == 1
    assert errors(console.query("RESUME template1")) == []


def test_one_database_is_resumed_after_a_pause_of_all(endpoint, console):
    """Also for those who are the first of their kind."""
    with WireClient(endpoint.at(dbname="template1")).log_in() as elsewhere:
        assert elsewhere.value("SELECT 1") == "1"
        assert errors(console.query("PAUSE")) == []
        assert errors(console.query(f"RESUME {endpoint.dbname}")) == []
        with WireClient(endpoint).log_in(options="-c geqo=off -c work_mem=77MB") as client:
            assert client.value("SHOW work_mem") == "77MB"
        elsewhere.send(wire.query("SELECT 'later'"))
        assert elsewhere.try_receive(0.2) is None
        assert errors(console.query("RESUME")) == []
        assert values(elsewhere.until("Z")) == [["later"]]


def test_a_pause_that_waits_can_be_resumed(served, endpoint, console):
    with WireClient(endpoint).log_in() as busy, WireClient(endpoint.at(dbname="pgtandem")).log_in() as other:
        busy.query("BEGIN; SELECT 1")
        with WireClient(endpoint).log_in() as later:
            console.send(wire.query("PAUSE"))
            ask_until_it_waits(served, later, "SELECT 1")
            assert errors(other.query("RESUME")) == []
            assert values(later.until("Z")) == [["1"]]
        assert "resumed" in error(console.until("Z"))["M"]
        assert state(busy.query("SELECT 1")) == "T"


def test_reconnect_opens_backends_anew(served, endpoint, console):
    def pids():
        return {backend[0] for backend in served.backends()}
    with WireClient(endpoint).log_in() as idle, WireClient(endpoint).log_in() as busy:
        busy.query("BEGIN; SELECT 1")
        kept, = [backend[0] for backend in served.busy_backends()]
        before = pids()
        assert errors(console.query("RECONNECT")) == []
        wait_for(lambda: pids() == {kept}, "the backends that are free to be closed")
        assert idle.value("SELECT 1") == busy.value("SELECT 1") == "1" and kept in pids()
        busy.query("COMMIT")
        wait_for(lambda: kept not in pids(), "the backend to be closed after its transaction")
        assert busy.value("SELECT 1") == "1" and pids().isdisjoint(before)


def test_kill_ends_one_client_or_those_of_a_database(served, endpoint, console):
    with WireClient(endpoint).log_in(application_name="victim") as victim, WireClient(endpoint).log_in() as other:
        victim.query("BEGIN")
        row, = clients(console, "victim")
        assert errors(console.query(f"Kill client {row['id']}")) == []
        assert errors(victim.until_closed()) == ["57P01"]
        assert other.value("SELECT 1") == "1"
        assert errors(console.query("KILL template1")) == []
        assert other.value("SELECT 1") == "1"
        other.send(wire.query("SELECT pg_sleep(500)"))
        assert errors(console.query(f"KILL {endpoint.dbname}")) == []
        assert errors(other.until_closed())[-1:] == ["57P01"]
        wait_for(lambda: served.busy_backends() == [], "the query to end too")
        assert shown(console, "VERSION")


def test_reload_takes_changed_settings_and_drops_nobody(served, endpoint, console):
    def setting(name):
        return {row["key"]: row["value"] for row in shown(console, "CONFIG")}[name]
    with WireClient(endpoint).log_in() as client:
        client.query("BEGIN")
        words = served.settings
        for size in (7, 5):
            served.settings = {**words, "pool_size": size}
            served.tandem.up(*served.settings_words(), "--set", "max_connections=300", "--set", "max_prepared_transactions=10")
            assert errors(console.query("RELOAD")) == []
            assert setting("pool_size") == str(size)
        served.settings = words
        assert state(client.query("SELECT 1")) == "T"
        client.query("COMMIT")


# --- rights


@pytest.fixture
def role(served, request):
    name, grant = request.param
    with served.straight.connect() as session:
        session.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        if grant:
            session.execute(f"GRANT {grant} TO {name}")
        yield served.endpoint.at(user=name, password="x", dbname="pgtandem")
        session.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("role", [("ordinary", ""), ("ordinary", "pg_read_all_data"), ("ordinary", "pg_signal_backend")], indirect=True)
def test_an_ordinary_role_is_refused(endpoint, role):
    said = refusal(role)
    assert (said["S"], said["C"]) == ("FATAL", "42501") and "console" in said["D"]
    assert refusal(role.at(password="wrong"))["C"] == "28P01"


@pytest.mark.parametrize("role", [("watcher", "pg_monitor"), ("a_console_reader", "")], indirect=True)
def test_a_reader_may_look_and_nothing_else(endpoint, role):
    with WireClient(role).log_in() as client:
        assert all(columns(client.query(f"SHOW {what}")) for what in COLUMNS)
        for command in ("PAUSE", "RESUME", "RELOAD", "RECONNECT", "KILL CLIENT 1", "KILL postgres", "pause postgres"):
            assert errors(client.query(command)) == ["42501"], command
    assert endpoint.value("SELECT 1") == 1


@pytest.mark.parametrize("role", [("a_console_admin", "")], indirect=True)
def test_an_administrator_may_do_everything(endpoint, role):
    with WireClient(role).log_in() as client:
        for command in ("PAUSE", "RESUME", "RELOAD", "RECONNECT"):
            assert errors(client.query(command)) == [], command


def test_nobody_gets_in_by_the_name_of_the_database_alone(endpoint):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        endpoint.at(dbname="pgtandem", password="wrong").connect()
