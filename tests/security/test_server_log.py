"""The server's log, to which any client writes by its errors: its folder has a bound, and files of a user's own names are left alone."""
import time

import pytest
from endpoint import Served
from tandem import wait_for

MEGABYTES = 1 << 20
BOUND = 256 * MEGABYTES
A_FILE = 16 * MEGABYTES


@pytest.fixture
def served():
    with Served() as made:
        yield made


def size_of(folder, pattern="*"):
    return sum(file.stat().st_size for file in folder.glob(pattern))


def write(session, megabytes):
    """A warning goes to the server's log, whoever causes it."""
    session.execute("SET client_min_messages = error")
    session.execute(f"DO $$ BEGIN FOR i IN 1..{megabytes} LOOP RAISE WARNING '%', repeat('x', 1 << 20); END LOOP; END $$")


def test_a_clients_errors_do_not_fill_the_disk(served):
    log = served.tandem.folder / "nodes/node1/log"
    served.straight.sql("CREATE ROLE careless LOGIN PASSWORD 'secret'")
    with served.endpoint.at(user="careless", password="secret").connect() as session:
        written, most = 0, 0
        while written < 384:
            write(session, 32)
            written += 32
            # A file is named after the second that it is begun in: those of one second are one file.
            second = int(time.time())
            wait_for(lambda second=second: int(time.time()) > second, "the second to be over")
            # Some files are begun between two looks of the agent.
            wait_for(lambda: size_of(log) <= BOUND + A_FILE, "the oldest files to be removed", patience=20)
            most = max(most, size_of(log))
    assert most > BOUND // 2, "nothing was written"
    assert len(list(log.glob("*.log"))) > 4


def test_a_log_filename_of_the_users_is_left_alone(served):
    log = served.tandem.folder / "nodes/node1/log"
    served.tandem.up(*served.settings_words(), "--set", "log_filename=mine.log", "--set", "log_rotation_size=0")
    with served.straight.connect() as session:
        wait_for(lambda: session.execute("SHOW log_filename").fetchone() == ("mine.log",), "the setting")
        session.execute("SELECT pg_rotate_logfile()")
        wait_for(lambda: (log / "mine.log").exists(), "the file to be begun")
        write(session, 288)
        wait_for(lambda: size_of(log, "mine.log") > BOUND + A_FILE, "the log to be written")
        # The agent looks once a second.
        other = log / "postgresql-2001-01-01_000000.log"
        other.write_bytes(b"")
        with open(other, "r+b") as file:
            file.truncate(BOUND)
        with open(log / "postgresql-2001-01-02_000000.log", "wb") as file:
            file.truncate(BOUND)
        wait_for(lambda: not other.exists(), "the agent to look")
    assert size_of(log, "mine.log") > BOUND
