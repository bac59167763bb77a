"""pgtandem up, down and reset."""
import os
import re
import signal
import subprocess

import pytest
from tandem import Tandem, environment, pg_program, wait_for


@pytest.mark.parametrize("replicas", [0, 1, 2, 5])
def test_nothing_becomes_a_primary_and_replicas_that_replicate(tandem, replicas):
    said = tandem.up("--replicas", str(replicas))
    assert "a row written on node1" in said
    tandem.assert_proven(replicas)
    tandem.sql("CREATE TABLE seen (n int); INSERT INTO seen VALUES (42)")
    for node in range(2, replicas + 2):
        name = f"node{node}"
        wait_for(lambda: tandem.value("SELECT to_regclass('seen') IS NOT NULL", name), f"the table on {name}")
        wait_for(lambda: tandem.sql("SELECT n FROM seen", name) == [(42,)], f"the row on {name}")


@pytest.mark.parametrize("replicas", [pytest.param(1, marks=pytest.mark.sanitizer), 2, 5])
def test_the_whole_life_of_a_cluster(tandem, replicas):
    tandem.up("--replicas", replicas)
    last = f"node{replicas + 1}"
    tandem.ok("verify")
    tandem.ok("status")
    tandem.ok("replica", "add", "extra")
    tandem.assert_proven(replicas + 1)
    tandem.ok("replica", "reinit", last)
    tandem.ok("replica", "remove", "extra")
    tandem.ok("psql", "--", "-c", "CREATE TABLE t (a int)")
    tandem.ok("psql", "--replica", last, "--", "-c", "SELECT 1")
    tandem.up("--replicas", replicas + 1, "--set", "work_mem=7MB")
    tandem.ok("config", "check")
    tandem.ok("down")
    tandem.up()
    tandem.assert_proven(replicas + 1)
    assert tandem.value("SHOW work_mem", f"node{replicas + 2}") == "7MB"
    tandem.ok("reset", "--yes")
    assert tandem.processes() == []


def test_the_strings_that_up_prints_connect(pair):
    said = pair.run("up", *pair.up_words(), "--detach").stdout
    strings = re.findall(r"psql '(postgresql://[^']+)'", said)
    assert len(strings) == 3, "the endpoint's, the primary's and the replica's"
    for string, is_replica in zip(strings, ("f", "f", "t")):
        done = subprocess.run(["psql", string, "-Atc", "SELECT pg_is_in_recovery() /* pgtandem: primary */"], capture_output=True, text=True,
                              env=environment(), **pair.as_user)
        assert done.stdout.strip() == is_replica, done.stderr


def test_no_password_is_shown_or_lies_open(pair):
    password = pair.credentials()["POSTGRES_PASSWORD"]
    assert len(password) >= 20
    said = pair.run("up", *pair.up_words(), "--detach").stdout + pair.ok("status") + pair.ok("config", "show")
    assert password not in said
    for path in pair.folder.glob("**/*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, path
    for log in [*pair.folder.glob("log/*"), *pair.folder.glob("nodes/*/log/*")]:
        assert password not in log.read_text()
    words = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    assert password not in words


def test_a_new_cluster_is_safe_by_its_settings(pair):
    rules = pair.sql("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert sorted(method for method, in rules) == ["reject", "scram-sha-256"]
    for name, wanted in {"data_checksums": "on", "server_encoding": "UTF8", "password_encryption": "scram-sha-256",
                         "wal_level": "replica", "wal_log_hints": "on", "archive_mode": "on", "hot_standby": "on",
                         "listen_addresses": "127.0.0.1"}.items():
        assert pair.value(f"SHOW {name}") == wanted
    assert pair.value("SELECT count(*) FROM pg_authid WHERE rolpassword NOT LIKE 'SCRAM-SHA-256$%'") == 0
    include = (pair.data("node1") / "postgresql.conf").read_text().splitlines()[-1]
    assert include == "include 'pgtandem.conf'"


def test_an_env_file_gives_user_password_and_database(tandem):
    file = tandem.parent / "db.env"
    file.write_text("# as for the postgres image\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD='it is: a\\secret'\nPOSTGRES_DB=shop\n")
    file.chmod(0o644)
    tandem.up("--env-file", file)
    for node in ("node1", "node2"):
        with tandem.connect(node, user="app", password="it is: a\\secret", dbname="shop") as session:
            assert session.execute("SELECT current_user, current_database()").fetchone() == ("app", "shop")
    assert tandem.failed_checks() == {}


def test_a_second_up_says_so_and_changes_nothing(pair):
    before = pair.postmaster("node1"), pair.store()
    assert "is up already" in pair.up()
    assert (pair.postmaster("node1"), pair.store()) == before


def test_a_second_up_with_more_replicas_adds_them(pair):
    primary = pair.postmaster("node1")
    pair.up("--replicas", "3")
    pair.assert_proven(3)
    assert pair.postmaster("node1") == primary


def test_down_and_up_lose_nothing(pair):
    pair.sql("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    pair.ok("down")
    assert pair.processes() == []
    assert "down already" in pair.ok("down")
    pair.up()
    pair.assert_proven(1)
    assert pair.value("SELECT count(*) FROM kept", "node2") == 1000


def test_control_c_stops_the_foreground_cleanly(tandem):
    process = tandem.start_foreground()
    wait_for(lambda: "Ctrl-C stops it" in process.log.read_text(), "the cluster to be up")
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert tandem.processes() == []
    assert "database system is shut down" in "".join(log.read_text() for log in tandem.folder.glob("nodes/node1/log/*"))


def test_a_replica_stops_after_the_primary_and_has_its_last_record(pair):
    pair.ok("down")

    def said(program, *words):
        return subprocess.run([pg_program(program), *words], capture_output=True, text=True, cwd="/", **pair.as_user).stdout
    last = re.search(r"Latest checkpoint location: +(\S+)", said("pg_controldata", "-D", pair.data("node1")))[1]
    # Whether it was replayed too before the replica stopped does not matter: it will be.
    for name in ("node1", "node2"):
        assert "CHECKPOINT_SHUTDOWN" in said("pg_waldump", "-p", pair.data(name) / "pg_wal", "-s", last, "-n", "1")


def test_set_is_for_every_server_and_is_remembered(pair):
    pair.up("--set", "work_mem=9MB", "--set", "max_connections=150")
    for name in ("node1", "node2"):
        assert pair.value("SHOW work_mem", name) == "9MB"
        assert pair.value("SHOW max_connections", name) == "150"
    pair.ok("down")
    pair.up()
    assert pair.value("SHOW max_connections", "node2") == "150"


def test_a_limit_is_lowered_without_stopping_replay(pair):
    pair.up("--set", "max_connections=200")
    pair.up("--set", "max_connections=50")
    assert [pair.value("SHOW max_connections", name) for name in ("node1", "node2")] == ["50", "50"]
    pair.assert_proven(1)


def test_durability_is_what_commits_wait_for(pair):
    assert pair.value("SHOW synchronous_standby_names") == 'ANY 1 ("node2")'
    pair.up("--durability", "async")
    assert pair.value("SHOW synchronous_standby_names") == ""
    pair.up("--durability", "strict")
    assert pair.value("SHOW synchronous_standby_names") == 'ANY 1 ("node2")'
    assert pair.status()["sync_set"] == ["node2"]


def test_sync_goes_on_alone_when_no_replica_is_left_and_says_so(pair):
    wait_for(lambda: pair.store().get("sync") == ["node2"], "the replica to hold commits")
    os.kill(pair.guard("node2"), signal.SIGSTOP)
    os.kill(pair.postmaster("node2"), signal.SIGKILL)
    try:
        pair.sql("CREATE TABLE alone (a int)")
        wait_for(lambda: pair.status()["is_degraded"], "the status to say so")
        assert any("durability" in name for name in pair.failed_checks())
    finally:
        os.kill(pair.guard("node2"), signal.SIGCONT)
    wait_for(lambda: pair.status()["sync_set"] == ["node2"], "the replica to hold commits again")


def test_the_archive_holds_whole_segments_and_is_bounded(tandem):
    tandem.up("--archive-size", "64MB")
    for _ in range(8):
        tandem.sql("SELECT pg_switch_wal()")
        tandem.sql("CREATE TABLE IF NOT EXISTS t (a int); INSERT INTO t VALUES (1)")
    wait_for(lambda: tandem.value("SELECT archived_count FROM pg_stat_archiver") >= 8, "segments to be archived")
    segments = [path for path in (tandem.folder / "archive").iterdir() if len(path.name) == 24]
    assert 0 < len(segments) <= 4
    assert all(path.stat().st_size == 16 << 20 for path in segments)


def test_reset_asks_and_then_leaves_nothing(pair):
    assert "not confirmed" in pair.refused("reset", stdin="n\n")
    assert pair.failed_checks() == {}
    pair.ok("reset", stdin="y\n")
    assert not pair.folder.exists()
    assert pair.processes() == []


def test_as_root_the_servers_run_as_postgres():
    if os.geteuid() != 0:
        pytest.skip("not root")
    with Tandem(as_root=True) as tandem:
        assert "running as user postgres" in tandem.up()
        tandem.assert_proven(1)
        assert tandem.folder.owner() == "postgres"
        assert all(path.owner() == "postgres" for path in tandem.folder.glob("**/*"))
        tandem.ok("replica", "add")
        tandem.ok("psql", "--", "-c", "SELECT 1")
        tandem.ok("down")
        tandem.ok("reset", "--yes")
        assert tandem.processes() == []
