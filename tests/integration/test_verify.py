"""pgtandem verify finds what is wrong; status shows it; psql reaches each node."""
import json
import os
import signal
import time

import pytest
from tandem import wait_for


def detached_from_up(tandem):
    """Servers run on without the process that would mend them."""
    os.kill(tandem.up_process(), signal.SIGKILL)
    wait_for(lambda: tandem.status()["state"] == "unattended", "the cluster to be without its process")


def finds(tandem, check, detail):
    """verify fails, and says so in that check."""
    failed = tandem.failed_checks()
    assert check in failed, failed
    assert detail in failed[check], failed
    assert tandem.run("verify").returncode == 1


@pytest.mark.sanitizer
def test_all_is_well(pair):
    said = pair.ok("verify")
    assert "FAIL" not in said and "checks passed" in said
    report = json.loads(pair.ok("verify", "--json"))
    assert report["passed"] and len(report["checks"]) > 15
    assert pair.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgtandem_%'") == 0


def test_nobody_keeps_it_running(pair):
    detached_from_up(pair)
    finds(pair, "pgtandem keeps the cluster running", "a server that dies stays dead")


def test_a_stopped_replica(pair):
    detached_from_up(pair)
    os.kill(pair.guard("node2"), signal.SIGTERM)
    wait_for(lambda: pair.node("node2")["state"] == "stopped", "the replica to stop")
    finds(pair, "node2 answers", "the server is stopped")
    finds(pair, "node2 has its slot on the primary", "inactive")


def test_a_replica_that_hangs(pair):
    os.kill(pair.postmaster("node2"), signal.SIGSTOP)
    try:
        finds(pair, "node2 answers", "timed out")
        assert pair.node("node2")["state"] == "hangs"
    finally:
        os.kill(pair.postmaster("node2"), signal.SIGCONT)


def test_a_replica_that_does_not_stream(pair):
    detached_from_up(pair)
    conf = pair.data("node2") / "pgtandem.conf"
    conf.write_text(conf.read_text().replace(f"port={pair.port} ", "port=1 "))
    pair.sql("SELECT pg_reload_conf()", "node2")
    wait_for(lambda: pair.node("node2")["state"] == "not streaming", "the replica to lose its primary")
    finds(pair, "node2 streams from the primary", "it gets no WAL")


def test_replay_that_is_paused(pair):
    pair.sql("SELECT pg_wal_replay_pause()", "node2")
    finds(pair, "node2 replays what it gets", "paused")
    assert pair.node("node2")["state"] == "paused"
    pair.sql("SELECT pg_wal_replay_resume()", "node2")
    wait_for(lambda: pair.failed_checks() == {}, "all to be well again")


def test_a_wrong_password(pair):
    pair.sql("ALTER ROLE postgres PASSWORD 'other'")
    for node in ("node1", "node2"):
        finds(pair, f"{node} lets the user in", "password authentication failed")


def test_a_wrong_password_of_the_replication_role(pair):
    pair.sql("ALTER ROLE pgtandem_replication PASSWORD 'other'")
    finds(pair, "the primary lets node2 replicate", "password authentication failed")


def test_a_missing_slot(pair):
    detached_from_up(pair)
    os.kill(pair.guard("node2"), signal.SIGTERM)
    wait_for(lambda: pair.node("node2")["state"] == "stopped", "the replica to stop")
    wait_for(lambda: pair.node("node2")["slot"] == "inactive", "the slot to be free")
    pair.sql("SELECT pg_drop_replication_slot('pgtandem_node2')")
    finds(pair, "node2 has its slot on the primary", "missing")
    pair.up()
    pair.assert_proven(1)


def test_a_replica_that_takes_writes(pair):
    pair.sql("SELECT pg_promote()", "node2")
    finds(pair, "node2 is a replica", "promoted")
    finds(pair, "node2 refuses writes", "it took a write")
    assert pair.node("node2")["state"] == "promoted"
    pair.ok("replica", "reinit", "node2")
    pair.assert_proven(1)


def test_settings_that_are_set_over(pair):
    pair.sql("ALTER SYSTEM SET wal_keep_size = '1MB'", "node2")
    pair.sql("SELECT pg_reload_conf()", "node2")
    finds(pair, "node2 has the cluster's settings", "wal_keep_size is set over by another file")


def test_a_limit_that_is_lower_than_the_primarys(pair):
    pair.sql("ALTER SYSTEM SET max_connections = 300")
    before = pair.postmaster("node1")
    os.kill(before, signal.SIGINT)
    wait_for(lambda: pair.node("node1")["state"] == "running" and pair.is_started_again("node1", before), "the primary to be back")
    finds(pair, "node2 has the primary's limits", "max_connections is 100 here and 300 on the primary")


def test_our_settings_are_not_read(pair):
    detached_from_up(pair)
    conf = pair.data("node2") / "postgresql.conf"
    conf.write_text(conf.read_text().replace("include 'pgtandem.conf'", ""))
    finds(pair, "node2 has the cluster's settings", "is not read")


@pytest.mark.parametrize("line, check, detail", [
    ("nonsense\n", "node1 has its pg_hba.conf in order", "line"),
    ("host all all 127.0.0.1/32 trust\n", "node1 has its pg_hba.conf in order", "trust"),
])
def test_a_broken_pg_hba(pair, line, check, detail):
    file = pair.data("node1") / "pg_hba.conf"
    file.write_text(line + file.read_text())
    pair.sql("SELECT pg_reload_conf()")
    finds(pair, check, detail)


def test_a_pg_hba_that_lets_everybody_in(pair):
    file = pair.data("node1") / "pg_hba.conf"
    file.write_text("host all all 127.0.0.1/32 trust\n" + file.read_text())
    pair.sql("SELECT pg_reload_conf()")
    finds(pair, "node1 refuses a wrong password", "let in")


def test_a_pg_hba_without_the_replication_role(pair):
    file = pair.data("node1") / "pg_hba.conf"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if "replication " not in line) + "\n")
    pair.sql("SELECT pg_reload_conf()")
    finds(pair, "the primary lets node2 replicate", "pg_hba.conf")


def test_wal_that_cannot_be_archived(pair):
    pair.folder.joinpath("archive").rename(pair.folder / "elsewhere")
    pair.sql("CREATE TABLE t (a int)")
    pair.sql("SELECT pg_switch_wal()")
    wait_for(lambda: "node1 archives its WAL" in pair.failed_checks(), "the failure to be seen")


def test_status_shows_every_node(pair):
    nodes = {node["name"]: node for node in pair.status()["nodes"]}
    assert nodes["node1"]["role"] == "primary" and nodes["node1"]["state"] == "running"
    replica = nodes["node2"]
    assert replica["state"] == "streaming" and replica["slot"] == "active" and replica["sync"] == "sync"
    assert replica["lag_bytes"] is not None and replica["lag_ms"] is not None
    assert replica["timeline"] == 1 and replica["uptime_seconds"] > 0 and replica["disk_bytes"] > 1 << 20
    assert replica["port"] == pair.port + 1
    text = pair.ok("status")
    for heading in ("NODE", "ROLE", "STATE", "TL", "LSN", "LAG", "SYNC", "SLOT", "HOLDS", "UPTIME", "PORT", "DISK"):
        assert heading in text
    assert "if the primary died now: 0 B" in text


def test_status_shows_lag_and_what_would_be_lost(tandem):
    tandem.up("--durability", "async")
    os.kill(tandem.postmaster("node2"), signal.SIGSTOP)
    receiver = tandem.value("SELECT pid FROM pg_stat_replication")
    os.kill(receiver, signal.SIGSTOP)
    try:
        tandem.sql("CREATE TABLE t AS SELECT generate_series(1, 10000)")
        assert tandem.status()["lost_if_primary_dies_bytes"] is not None
    finally:
        os.kill(receiver, signal.SIGCONT)
        os.kill(tandem.postmaster("node2"), signal.SIGCONT)


def test_status_watch_goes_on_until_told_to_stop(pair):
    import subprocess
    from tandem import environment
    process = subprocess.Popen(pair.words("status", "--watch", "--json"), stdout=subprocess.PIPE, text=True,
                               env=environment(), **pair.as_user)
    first, second = json.loads(process.stdout.readline()), json.loads(process.stdout.readline())
    assert first["state"] == second["state"] == "up"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_psql_reaches_the_node_that_is_named(pair):
    ask = ["--", "-Atc", "SELECT pg_is_in_recovery() /* pgtandem: primary */"]
    assert pair.ok("psql", *ask) == "f\n"
    assert pair.ok("psql", "--primary", *ask) == "f\n"
    assert pair.ok("psql", "--replica", "node2", *ask) == "t\n"


def test_config_show_says_where_each_setting_comes_from(tandem):
    file = tandem.parent / "pgtandem.toml"
    file.write_text("replicas = 2\ndurability = 'async'\n[postgresql]\nwork_mem = '5MB'\n")
    file.chmod(0o644)
    shown = json.loads(tandem.ok("config", "show", "--json", "--config", file, "--replicas", "3", PGTANDEM_LISTEN="*"))
    assert shown["replicas"] == {"value": "3", "source": "--replicas"}
    assert shown["listen"] == {"value": "*", "source": "PGTANDEM_LISTEN"}
    assert shown["durability"] == {"value": "async", "source": str(file)}
    assert shown["postgresql.work_mem"] == {"value": "5MB", "source": str(file)}
    assert shown["port"]["source"] == "default"
    tandem.ok("config", "check", "--config", file)


def test_a_server_that_dies_is_started_again(pair):
    for name in ("node2", "node1"):
        before = pair.postmaster(name)
        os.kill(before, signal.SIGKILL)
        begun = time.monotonic()
        wait_for(lambda: pair.run("psql", *(["--replica", name] if name == "node2" else []), "--", "-c", "SELECT 1").returncode == 0
                 and pair.is_started_again(name, before), f"{name} to be back")
        print(f"{name} was back after {time.monotonic() - begun:.2f} s")
        wait_for(lambda: pair.failed_checks() == {}, "all to be well")
