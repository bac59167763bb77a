"""What is given wrongly gets a clear error of one form, the right status, and changes nothing."""
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tandem import PG_BIN, server_user, wait_for


@pytest.mark.sanitizer
@pytest.mark.parametrize("words, says, tries", [
    (["upp"], "upp: there is no such command", "did you mean up?"),
    (["up", "--replcas", "2"], "--replcas: up has no such option", "did you mean --replicas?"),
    (["up", "--replicas"], "replicas", ""),
    (["up", "--replicas", "65"], "'65' is not a number from 0 to 64", ""),
    (["up", "--replicas", "-1"], "'-1' is not a number from 0 to 64", ""),
    (["up", "--replicas", "two"], "'two' is not a number", ""),
    (["up", "--port", "70000"], "'70000' is not a number from 1 to 65535", ""),
    (["up", "--durability", "perhaps"], "'perhaps' is not sync, strict or async", ""),
    (["up", "--archive-size", "1MB"], "at least 64MB", ""),
    (["up", "--archive-size", "much"], "not a number and a unit", ""),
    (["up", "--durability", "strict", "--replicas", "0"], "strict without a replica", "--replicas 1"),
    (["up", "--set", "work_mem"], "not of the form name=value", ""),
    (["up", "--set", "wrok_mem=1MB"], "unrecognized configuration parameter 'wrok_mem'", "did you mean work_mem?"),
    (["up", "--set", "work_mem=plenty"], "invalid value for parameter 'work_mem'", ""),
    (["up", "--set", "shared_buffers=900TB"], "shared", ""),
    (["up", "--set", "port=1234"], "port: pgtandem sets it itself", ""),
    (["up", "--set", "wal_level=minimal"], "replicas need replica or logical", ""),
    (["up", "now"], "up takes no arguments", ""),
    (["replica", "ad"], "it takes add [NAME], remove NAME or reinit NAME", ""),
    (["replica", "remove"], "remove NAME", ""),
    (["config"], "it takes show or check", ""),
    (["status", "--yes"], "status has no such option", ""),
])
def test_usage(tandem, words, says, tries):
    error = tandem.refused(words[0], *words[1:], status=2)
    assert says in error
    assert ("try: " + tries) in error if tries else True
    assert not tandem.folder.exists() or not (tandem.folder / "nodes").exists()


@pytest.mark.parametrize("variables, says", [
    ({"PGTANDEM_REPLICAS": "many"}, "(PGTANDEM_REPLICAS)"),
    ({"PGTANDEM_REPLICSA": "2"}, "did you mean PGTANDEM_REPLICAS?"),
])
def test_environment(tandem, variables, says):
    assert says in tandem.refused("up", status=2, **variables)


@pytest.mark.parametrize("text, says", [
    ("replicsa = 2", "did you mean replicas?"),
    ("replicas = [1]", "is not text, a number"),
    ("replicas = ", "line 1"),
    ("[postgresql]\nwrok_mem = '1MB'", "did you mean work_mem?"),
])
def test_settings_file(tandem, text, says):
    file = tandem.parent / "x.toml"
    file.write_text(text)
    assert says in tandem.refused("up", "--config", file, status=2)


@pytest.mark.parametrize("text, status, says", [
    ("POSTGRES_PASWORD=x", 2, "did you mean POSTGRES_PASSWORD?"),
    ("POSTGRES_HOST_AUTH_METHOD=trust", 2, "POSTGRES_HOST_AUTH_METHOD is not known here"),
    ("just words", 1, "line 1: not of the form NAME=value"),
    ("POSTGRES_USER=pg_boss", 2, "kept for PostgreSQL"),
    ("POSTGRES_USER=pgtandem", 2, "kept for PostgreSQL's or pgtandem's own use"),
    ("POSTGRES_DB=template1", 2, "one of PostgreSQL's templates"),
])
def test_env_file(tandem, text, status, says):
    file = tandem.parent / "db.env"
    file.write_text(text)
    file.chmod(0o644)
    assert says in tandem.refused("up", "--env-file", file, status=status)


def test_an_env_file_that_cannot_be_read(tandem):
    assert "No such file" in tandem.refused("up", "--env-file", tandem.parent / "none.env")
    file = tandem.parent / "secret.env"
    file.write_text("POSTGRES_USER=x")
    file.chmod(0)
    assert "Permission denied" in tandem.refused("up", "--env-file", file)


def test_another_user_or_database_than_the_cluster_has(pair):
    file = pair.parent / "db.env"
    file.write_text("POSTGRES_USER=someone\n")
    file.chmod(0o644)
    assert "made for user postgres" in pair.refused("up", "--env-file", file)
    file.write_text("POSTGRES_DB=something\n")
    assert "made with database postgres" in pair.refused("up", "--env-file", file)
    file.write_text("POSTGRES_PASSWORD=wrong\n")
    assert "password authentication failed" in pair.refused("up", "--env-file", file)
    assert pair.failed_checks() == {}


def test_a_password_changed_with_sql_is_taken_from_the_env_file(pair):
    pair.sql("ALTER ROLE postgres PASSWORD 'changed'")
    assert "node1 lets the user in" in pair.failed_checks()
    file = pair.parent / "db.env"
    file.write_text("POSTGRES_PASSWORD=changed\n")
    file.chmod(0o644)
    pair.up("--env-file", file)
    assert pair.failed_checks() == {}


def test_a_port_that_is_taken_says_by_whom(tandem):
    program = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print(flush=True); input()"
    listener = subprocess.Popen([sys.executable, "-c", program, str(tandem.port + 1)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, **server_user())
    try:
        listener.stdout.readline()
        error = tandem.refused("up", "--port", tandem.port)
        assert re.search(rf"node2: 127.0.0.1:{tandem.port + 1}: taken by python.* \(process {listener.pid}\)", error)
    finally:
        listener.communicate()
    assert not (tandem.folder / "nodes").exists()


def test_a_port_that_is_taken_by_another_user(tandem):
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", tandem.port))
        listener.listen()
        assert "taken by a program of user root" in tandem.refused("up", "--port", tandem.port)


def test_an_address_that_is_not_here(tandem):
    assert "Cannot assign requested address" in tandem.refused("up", "--listen", "192.0.2.1")


@pytest.mark.parametrize("command", ["status", "verify", "down", "reset", "psql", "replica"])
def test_a_cluster_that_is_not_there(tandem, command):
    words = ["add"] if command == "replica" else []
    error = tandem.refused(command, *words)
    assert "there is none" in error
    assert not tandem.folder.exists()


@pytest.mark.parametrize("command", [["status"], ["verify"], ["psql"], ["replica", "add"]])
def test_a_cluster_that_is_down(pair, command):
    pair.ok("down")
    assert re.search("the cluster is down|it is stopped", pair.refused(*command))


def test_a_folder_that_is_not_ours(tandem):
    tandem.folder.mkdir()
    if server_user():
        os.chown(tandem.folder, server_user()["user"], server_user()["group"])
    (tandem.folder / "thesis.txt").write_text("dear")
    assert "thesis.txt is there" in tandem.refused("up")
    assert "holds no pgtandem cluster" in tandem.refused("reset", "--yes")
    assert (tandem.folder / "thesis.txt").read_text() == "dear"


def test_a_folder_of_another_user(tandem):
    if os.geteuid() != 0:
        pytest.skip("needs root to make one")
    tandem.folder.mkdir()
    os.chown(tandem.folder, 12345, 12345)
    assert "belongs to user 12345" in tandem.refused("up")


def test_a_folder_that_others_may_write_to(tandem):
    tandem.folder.mkdir()
    if server_user():
        os.chown(tandem.folder, server_user()["user"], server_user()["group"])
    tandem.folder.chmod(0o777)
    assert "other users may write to it" in tandem.refused("up")


@pytest.fixture
def far(tandem):
    """A cluster whose path is too long for a socket's address."""
    tandem.folder = tandem.parent / ("far_" + "x" * 80)
    return tandem


def test_a_folder_for_sockets_that_is_not_ours_alone(far):
    far.up("--replicas", "0")
    sockets = Path(far.value("SHOW unix_socket_directories"))
    assert sockets.parent == Path("/tmp") and stat.S_IMODE(sockets.stat().st_mode) == 0o700
    far.ok("reset", "--yes")
    assert not sockets.exists()

    def refused(why):
        error = far.refused("up", *far.up_words())
        assert f"{sockets}: {why}" in error and "try: remove it" in error
        assert not far.folder.exists() or not (far.folder / "nodes").exists()
    elsewhere = far.parent / "elsewhere"
    elsewhere.mkdir()
    sockets.symlink_to(elsewhere)
    try:
        refused("it is not a folder")
    finally:
        sockets.unlink()
    sockets.mkdir()
    try:
        if os.geteuid() == 0:  # it is root's, the cluster another user's
            refused("it belongs to user root")
            os.chown(sockets, far.as_user["user"], far.as_user["group"])
        sockets.chmod(0o1777)
        refused("other users may write to it")
    finally:
        sockets.rmdir()
    far.up("--replicas", "0")
    far.ok("reset", "--yes")


def test_a_folder_below_one_that_is_closed(tandem):
    closed = tandem.parent / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(closed, 12345, 12345)
    else:
        closed.chmod(0o500)
    assert "Permission denied" in tandem.refused("up", "--dir", closed / "cluster")


def test_data_of_another_version(pair):
    pair.ok("down")
    store = pair.folder / "store.json"
    store.write_text(re.sub(r'"pg_major": \d+', '"pg_major": 99', store.read_text()))
    error = pair.refused("up")
    assert "version 99" in error and ("--pg-bin with the programs of version 99" if PG_BIN else "postgresql-99") in error


def test_a_store_that_is_damaged(pair):
    pair.ok("down")
    (pair.folder / "store.json").write_text("{ half")
    for command in ("up", "status"):
        assert "store.json" in pair.refused(command)
    pair.ok("reset", "--yes")


def test_programs_that_are_not_there(tandem):
    error = tandem.refused("up", "--pg-bin", "/usr/bin/X11")
    assert "is not there or cannot be run" in error


def test_fewer_replicas_than_there_are(pair):
    error = pair.refused("up", "--replicas", "0")
    assert "up takes none away" in error and "replica remove" in error
    assert pair.failed_checks() == {}


def test_what_cannot_change_while_it_runs(pair):
    assert "cannot change while the cluster runs" in pair.refused("up", "--port", pair.port + 5)
    assert "cannot change while the cluster runs" in pair.refused("up", "--listen", "*")


def test_a_bad_setting_on_a_running_cluster_restarts_nothing(pair):
    before = pair.postmaster("node1"), pair.store()
    assert "invalid value" in pair.refused("up", "--set", "max_connections=lots", status=2)
    assert (pair.postmaster("node1"), pair.store()) == before


def test_replicas_that_are_not_there_or_have_no_name(pair):
    assert "did you mean node2?" in pair.refused("replica", "remove", "nod2", status=2)
    assert "it is the primary" in pair.refused("replica", "remove", "node1")
    assert "there is a node of this name" in pair.refused("replica", "add", "node2", status=2)
    assert "a name has 1 to 40" in pair.refused("replica", "add", "Node-9", status=2)
    assert "did you mean node2?" in pair.refused("psql", "--replica", "nod2", status=2)


def test_the_last_replica_of_a_strict_cluster_stays(tandem):
    tandem.up("--durability", "strict")
    assert "no commit would end without it" in tandem.refused("replica", "remove", "node2")
    assert tandem.failed_checks() == {}


def test_a_second_up_while_one_brings_the_cluster_up(tandem):
    first = tandem.start_foreground()
    wait_for(lambda: tandem.reports().get("up", {}).get("phase") == "starting", "the first to be at it")
    error = tandem.refused("up")
    assert "just bringing it up" in error
    wait_for(lambda: "Ctrl-C stops it" in first.log.read_text(), "the first to be done")
    assert tandem.failed_checks() == {}


def test_help_is_there_for_every_command(tandem):
    overview = subprocess.run(tandem.words("--help")[:2], capture_output=True, text=True)
    assert overview.returncode == 0
    for command in ("up", "down", "status", "verify", "reset", "psql", "replica", "config"):
        assert f"  {command} " in overview.stdout
        text = tandem.ok(command, "--help")
        assert "examples:" in text and f"pgtandem {command}" in text
