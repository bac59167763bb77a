"""psql and pgbench through the endpoint as straight: each scenario runs against both."""
import os
import pty
import re
import select
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from endpoint import SPLIT, served_for
from tandem import PATIENCE, client_program, environment, server_user, wait_for

served = served_for(SPLIT)


def psql(place, *commands, stdin="", **variables):
    words = [word for command in commands for word in ("-c", command)]
    done = place.run("psql", "-X", "-v", "ON_ERROR_STOP=1", *words, stdin=stdin, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout


SCHEMA = """
DROP SCHEMA IF EXISTS seen CASCADE; CREATE SCHEMA seen; SET search_path TO seen;
CREATE TYPE seen.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN seen.positive AS int CHECK (VALUE > 0);
CREATE TABLE seen.things (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'x', feels seen.mood);
CREATE INDEX things_name ON seen.things (name);
CREATE VIEW seen.named AS SELECT name FROM seen.things;
CREATE FUNCTION seen.twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
CREATE SEQUENCE seen.ticks;
COMMENT ON TABLE seen.things IS 'many';
"""
# The family of \\d and what else psql asks the catalog for; each must show what is named beside it.
BACKSLASH = {
    r"\d seen.*": "things_name", r"\d+ seen.things": "generated always as identity", r"\dt seen.*": "things",
    r"\dt+ seen.*": "many", r"\di seen.*": "things_pkey", r"\dv seen.*": "named", r"\ds seen.*": "ticks",
    r"\df seen.*": "twice", r"\df+ seen.*": "sql", r"\dT seen.*": "mood", r"\dD seen.*": "positive", r"\dn seen": "seen",
    r"\du": "Superuser", r"\l": "UTF8", r"\dp seen.*": "things", r"\dx": "plpgsql", r"\dL": "plpgsql", r"\db": "pg_default",
    r"\dcS utf8_to_big5": "UTF8", r"\dC": "integer", r"\do +": "addition|add", r"\da max": "max", r"\dO": "C", r"\ddp": "", r"\drds": "",
    r"\dRp": "", r"\dFd": "simple", r"\sf seen.twice": "CREATE OR REPLACE", r"\sv seen.named": "CREATE OR REPLACE VIEW",
    r"\conninfo": "You are connected", r"\encoding": "UTF8", r"\dconfig work_mem": "work_mem", r"\dA": "btree", r"\dew": "",
}


def test_psql_describes_what_is_there(place):
    psql(place, SCHEMA)
    for command, wanted in BACKSLASH.items():
        shown = psql(place, command)
        assert re.search(wanted, shown), (command, shown)


def test_psql_shows_the_same_of_the_catalog_as_straight(served, endpoint):
    psql(served.straight, SCHEMA)
    script = "\n".join(command for command in BACKSLASH if command != r"\conninfo")
    assert psql(endpoint, stdin=script) == psql(served.straight, stdin=script)


def test_psql_copies_to_and_from_files(place, tmp_path):
    tmp_path.chmod(0o777)
    # Those that pytest has made, and no other.
    for folder in tmp_path.parents:
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    rows = "".join(f"{number}\trow {number}\n" for number in range(5000))
    (tmp_path / "in").write_text(rows)
    psql(place, "DROP TABLE IF EXISTS filed; CREATE TABLE filed (n int, t text)")
    shown = psql(place, stdin=f"\\copy filed from '{tmp_path}/in'\n\\copy filed to '{tmp_path}/out'\n")
    assert shown == "COPY 5000\nCOPY 5000\n"
    assert (tmp_path / "out").read_text() == rows
    assert psql(place, stdin="\\copy (SELECT n FROM filed WHERE n < 2 ORDER BY n) to stdout csv header\n") == "n\n0\n1\n"
    piped = psql(place, stdin="COPY filed FROM STDIN;\n7\tseven\n\\.\nSELECT count(*) AS rows FROM filed;\n")
    assert "5001" in piped


def test_psql_gexec_gset_gdesc_and_transactions(place):
    script = r"""
SELECT 42 AS answer \gset
SELECT :answer + 1 AS next;
SELECT 1 AS a, 'x'::text AS b, now() AS c \gdesc
SELECT format('SELECT %s AS made', n) FROM generate_series(1, 2) AS n \gexec
BEGIN; SELECT 1/0; ROLLBACK;
SELECT 1 \; SELECT 2;
\if :{?answer} \echo yes \endif
SELECT 5 \crosstabview
"""
    done = place.run("psql", "-XAt", stdin=script)
    for wanted in ("43", "a|integer\nb|text\nc|timestamp with time zone", "1\n2\n", "ROLLBACK", "yes"):
        assert wanted in done.stdout, done.stdout
    assert "division by zero" in done.stderr


def test_psql_binds_parameters(place):
    version = int(re.search(r"(\d+)", place.run("psql", "--version").stdout)[1])
    if version < 16:
        pytest.skip(f"\\bind came with psql 16, and this is {version}")
    assert psql(place, stdin="SELECT $1::int + $2::int AS sum \\bind 20 22 \\g\n").split()[2] == "42"


class Terminal:
    """psql as a person has it: on a terminal, with Ctrl-C."""

    def __init__(self, place):
        self.leader, follower = pty.openpty()
        self.shown = ""
        words = [client_program("psql"), "-X", "-P", "pager=off", "--no-readline"]
        self.process = subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, cwd="/tmp",
                                        env=environment(TERM="dumb", **place.variables()),
                                        preexec_fn=self.take_terminal, **server_user())
        os.close(follower)

    @staticmethod
    def take_terminal():
        os.setsid()
        import fcntl
        import termios
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.leader)

    def type(self, text):
        os.write(self.leader, text.encode())

    def wait_for(self, text, times=1):
        deadline = time.monotonic() + PATIENCE
        while self.shown.count(text) < times:
            assert time.monotonic() < deadline, f"waited in vain for {text!r} in {self.shown!r}"
            if select.select([self.leader], [], [], 0.1)[0]:
                self.shown += os.read(self.leader, 65536).decode()


def is_running(served, text):
    wait_for(lambda: [row for row in served.backends() if row[1] == "active" and text in row[3]], f"{text} to run")


def test_ctrl_c_cancels_the_query_and_the_session_goes_on(served, place):
    with Terminal(place) as terminal:
        terminal.wait_for("=")
        for times in (1, 2, 3):
            terminal.type(f"SELECT pg_sleep(500), {times};\n")
            is_running(served, f"pg_sleep(500), {times}")
            terminal.type("\x03")
            terminal.wait_for("canceling statement due to user request", times)
        terminal.type("SELECT 'it goes' || ' on';\n")
        terminal.wait_for("it goes on")
    wait_for(lambda: not [row for row in served.busy_backends() if "pg_sleep" in row[3]], "no query to run on")


def test_watch_repeats_and_ctrl_c_ends_it(place):
    with Terminal(place) as terminal:
        terminal.wait_for("=")
        terminal.type("SELECT 'seen ' || 'again' \\watch 0.05\n")
        terminal.wait_for("seen again", 5)
        terminal.type("\x03")
        terminal.type("SELECT 'after ' || 'it';\n")
        terminal.wait_for("after it")


# --- pgbench

PIPELINE = r"""
\startpipeline
SELECT 1;
SELECT :client_id;
UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = 1 + :client_id;
\endpipeline
"""


@pytest.fixture(scope="module")
def filled(served):
    done = served.straight.run("pgbench", "-i", "-q", "-s", "2")
    assert done.returncode == 0, done.stderr
    return served


def transactions(place, *words):
    done = place.run("pgbench", "-n", *words)
    assert done.returncode == 0, done.stderr
    assert "number of failed transactions: 0 " in done.stdout, done.stdout
    return re.search(r"actually processed: (\d+)/(\d+)", done.stdout).groups()


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("script", ["select-only", "tpcb-like", "simple-update"])
def test_pgbench_loses_no_transaction(filled, place, mode, script):
    before = place.value("SELECT count(*) FROM pgbench_history")
    assert transactions(place, "-M", mode, "-b", script, "-c", "8", "-j", "2", "-t", "25") == ("200", "200")
    written = place.value("SELECT count(*) FROM pgbench_history") - before
    assert written == (0 if script == "select-only" else 200)
    sums = place.sql("SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(delta) FROM pgbench_history)")
    assert sums[0][0] == (sums[0][1] or 0)


@pytest.mark.parametrize("mode", ["extended", "prepared"])
def test_pgbench_pipelines(filled, place, mode):
    script = filled.tandem.parent / "pipeline.sql"
    script.write_text(PIPELINE)
    script.chmod(0o644)
    before = place.value("SELECT sum(tbalance) FROM pgbench_tellers")
    assert transactions(place, "-M", mode, "-f", script, "-c", "8", "-t", "25") == ("200", "200")
    assert place.value("SELECT sum(tbalance) FROM pgbench_tellers") == before + 200


def test_pgbench_initializes_and_dumps_are_the_same(filled, place):
    done = place.run("pgbench", "-i", "-q", "-s", "1", "-I", "dtgvp")
    assert done.returncode == 0, done.stderr
    straight, here = (at.run("pg_dump", "--no-comments") for at in (filled.straight, place))
    assert here.returncode == 0, here.stderr
    assert "CREATE TABLE public.pgbench_accounts" in here.stdout
    assert without_marks(here.stdout) == without_marks(straight.stdout)


def without_marks(dump):
    """Newer versions of pg_dump put a random key into each dump."""
    return re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.M)
