"""The checking mode asks each backend, when it goes back to its pool, what it really holds: what runs through the endpoint leaves nothing behind
that it does not know of. What is found here is a fault of the verdicts, or of the books on backends."""
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import wire_messages as wire
from catalog_statements import NAMED, SETUP, calls, statements
from corpus_client import CorpusClient, interleave
from corpus_file import corpus_names, read_corpus
from endpoint import Served
from smith import PASSWORD, ROLE, make_database, made as made_by_smith
from tandem import wait_for
from unnamed_calls import CALLS, CLEAN, cases, chosen
from wire_client import WireClient, errors

EXTENSIONS = ("autoinc", "citext", "cube", "dblink", "hstore", "intarray", "ltree", "pg_trgm", "tablefunc", "xml2")
CLIENT_STATEMENTS = 4
# Nothing ties a session to its backend here, so that everything is left behind.
LEFT_BEHIND = {
    "SET work_mem = '3MB'": None,
    "SELECT set_config('work_mem', left('12345', 4), false)": "setting work_mem is '1234'",
    "SELECT pg_advisory_lock(7)": "lock: advisory",
    "PREPARE mine AS SELECT 1": "prepared statement mine is there",
    "DECLARE mine CURSOR WITH HOLD FOR SELECT 1": "cursor: mine",
    "LISTEN mine": "listen: mine",
    "CREATE TEMPORARY TABLE mine (a int)": "temporary: pg_class",
    "SET SESSION AUTHORIZATION other": "session_user is other",
    "SELECT pg_replication_origin_create('mine'), pg_replication_origin_session_setup('mine')": "a replication origin is set up",
    "SELECT set_config('my.own', left('12345', 4), false)": "setting my.own is '1234' instead of ''",
    "DO $$ BEGIN EXECUTE 'SELECT set' || 'val(''numbers'', 5)'; END $$": "nobody has drawn a number, and currval of sequence",
    "DO $$ BEGIN EXECUTE 'SELECT next' || 'val(''numbers'')'; END $$": "lastval is 6",
    "SELECT pg_create_physical_replication_slot('mine', true, true)": "slot: mine",
}


@pytest.fixture(scope="module")
def served():
    with Served(replicas=1, pool_size=1, check_sharing="on") as made:
        made.straight.sql("CREATE ROLE other")
        yield made


def test_what_is_left_behind_is_found_and_reported():
    with Served(replicas=0, pool_size=1, check_sharing="on", pool_mode="transaction") as made:
        made.straight.sql("CREATE ROLE other; CREATE SEQUENCE numbers")
        for number, (text, found) in enumerate(LEFT_BEHIND.items()):
            with WireClient(made.endpoint).log_in() as client:
                assert errors(client.query(text)) == []
                # The next client gets another backend, which has nothing of it.
                assert errors(client.query(f"SELECT {number}")) == []
            if found:
                wait_for(lambda found=found: any(found in line for line in made.sharing_reports()), f"a report of {found}")
            assert sum("differs" in line for line in made.sharing_reports()) <= number
        assert not any("3MB" in line for line in made.sharing_reports())
        assert made.sharing_counts()[1] == len(LEFT_BEHIND) - 1


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_the_corpus_leaves_nothing_behind(served, protocol):
    served.straight.sql("DROP DATABASE IF EXISTS corpus WITH (FORCE)")
    served.straight.sql("CREATE DATABASE corpus")
    place = served.endpoint.at(dbname="corpus")
    interleave([CorpusClient(place, name, read_corpus(name, protocol), protocol) for name in corpus_names()])
    assert served.sharing_counts()[0] > 100
    assert served.sharing_reports() == []


def test_a_pipeline_that_fails_leaves_nothing_behind(served):
    """Also the unnamed statement is as the endpoint has it."""
    one, fails, two = (wire.parse(text) + wire.bind() + wire.execute() for text in ("SELECT 1", "SELECT 1/0", "SELECT 2"))
    before = served.sharing_counts()[0]
    pipelines = [one + fails + two, fails + two, wire.parse("SELECT 1/0 FROM") + two, wire.query("SELECT 1") + fails + two, one + wire.parse("SELECT 1/0") + fails]
    for sent in pipelines:
        with WireClient(served.endpoint).log_in() as client:
            client.send(sent, wire.sync())
            client.terminate()
    wait_for(lambda: served.sharing_counts()[0] >= before + len(pipelines), "all of them to be checked")
    assert served.sharing_reports() == []


@pytest.mark.parametrize("count", [600, pytest.param(100_000, marks=pytest.mark.long)])
def test_functions_and_operators_of_the_catalog_leave_nothing_behind(served, count):
    name = f"catalog_{count}"
    served.straight.sql(f"CREATE DATABASE {name}")
    straight = served.straight.at(dbname=name)
    straight.sql(SETUP + "".join(f"CREATE EXTENSION {extension};" for extension in EXTENSIONS))
    generated = list(statements(straight))
    random.Random(count).shuffle(generated)
    texts = []
    with straight.connect() as session:
        for _, made, run in generated[:count]:
            try:
                if made:
                    session.execute(made)
                texts.append(run)
            except psycopg.Error:
                pass  # a value that does not fit, or a function that may not stand there
    place = served.endpoint.at(dbname=name)
    for begin in range(0, len(texts), CLIENT_STATEMENTS):
        with WireClient(place).log_in(options="-c statement_timeout=2000") as client:
            for text in texts[begin:begin + CLIENT_STATEMENTS]:
                client.query(text)
            client.terminate()
    assert len(texts) > min(count, len(generated)) * 0.8
    assert served.sharing_counts()[0] > len(texts) / CLIENT_STATEMENTS
    assert served.sharing_reports() == []


def make(place, text):
    with WireClient(place).log_in() as maker:
        assert errors(maker.query(text)) == [], text
    with WireClient(place).log_in() as other:
        # DDL does not wait until the catalog has been read again (decision 7); other statements do.
        assert errors(other.query("SELECT 1")) == []


@pytest.mark.parametrize("call", CALLS)
def test_what_calls_without_being_named_leaves_nothing_behind(served, call):
    """Each way by itself: what counts against every statement of a database would hide the next one."""
    served.straight.sql(f"CREATE DATABASE unnamed_{call}")
    place = served.endpoint.at(dbname=f"unnamed_{call}")
    for _, made, run in cases(call):
        make(place, f"{CLEAN}; {made}")
        with WireClient(place).log_in() as client:
            assert errors(client.query(run)) == [], run
            client.terminate()
    assert served.sharing_reports() == []


@pytest.mark.parametrize("count", [60, pytest.param(10_000, marks=pytest.mark.long)])
def test_functions_of_the_catalog_that_are_called_without_being_named_leave_nothing_behind(served, count):
    name = f"unnamed_{count}"
    served.straight.sql(f"CREATE DATABASE {name}")
    straight = served.straight.at(dbname=name)
    straight.sql(NAMED)
    choice = random.Random(count)
    found = list(dict.fromkeys(call for _, _, call in calls(straight)))
    ran = 0
    for _, made, run in chosen(choice.sample(found, min(count, len(found))), choice):
        try:
            make(served.endpoint.at(dbname=name), f"{CLEAN}; {NAMED} {made}")
        except AssertionError:
            continue  # a value that does not fit, or a function that may not stand there
        with WireClient(served.endpoint.at(dbname=name)).log_in(options="-c statement_timeout=2000") as client:
            client.query(run)
            client.terminate()
        ran += 1
    assert ran > min(count, len(found)) * 0.7
    assert served.sharing_reports() == []


@pytest.mark.parametrize("count", [100, pytest.param(3000, marks=pytest.mark.long)])
def test_random_statements_leave_nothing_behind(count):
    with Served(replicas=1, pool_size=2, check_sharing="on") as served:
        make_database(served)
        place = served.endpoint.at(dbname="smith", user=ROLE, password=PASSWORD)
        statements = made_by_smith(served.straight.at(dbname="smith", user=ROLE, password=PASSWORD), 4, count)
        for begin in range(0, len(statements), CLIENT_STATEMENTS):
            with WireClient(place).log_in(options="-c statement_timeout=1000") as client:
                for text in statements[begin:begin + CLIENT_STATEMENTS]:
                    client.query(text)
                client.terminate()
        assert len(statements) > count * 0.7
        assert served.sharing_counts()[0] > len(statements) / CLIENT_STATEMENTS / 2
        assert served.sharing_reports() == []


@pytest.mark.parametrize("drivers", ["libpq", "python", "node_and_java"])
def test_drivers_leave_nothing_behind(drivers):
    """Their own tests, in the checking mode: its fixture sees to the rest."""
    file = Path(__file__).with_name(f"test_drivers_{drivers}.py")
    words = ["-q", "-p", "no:cacheprovider", "--tb=short", "-m", "not long", "-k", "not straight", str(file)]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, text=True, timeout=600,
                          env={**os.environ, "TANDEM_SETTINGS": json.dumps({"check_sharing": "on"})})
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
