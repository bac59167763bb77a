"""A client's process id is its own: what another one does to it meets this client, and nobody else."""
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from endpoint import SPLIT, Served, served_for
from tandem import wait_for

served = served_for(SPLIT)
ENDED = "terminating connection due to administrator command|the connection is closed"


@pytest.fixture(params=["new", "used"])
def clients(place, request):
    """Three, who have asked nothing yet or something; the one who is asked last has read."""
    with contextlib.ExitStack() as undo:
        made = [undo.enter_context(contextlib.closing(place.connect())) for _ in range(3)]
        if request.param == "used":
            for client in made:
                client.execute("SELECT 1")
            made[0].execute("CREATE TABLE IF NOT EXISTS used (a int)")
            for client in reversed(made):
                client.execute("SELECT count(*) FROM used")
        yield made


def pid(client):
    return client.info.backend_pid


def is_alive(client):
    return client.execute("SELECT 'alive'").fetchone() == ("alive",)


def test_each_client_is_told_of_another_process(clients):
    assert len({pid(client) for client in clients}) == 3
    assert all(client.execute("SELECT pg_backend_pid()").fetchone() == (pid(client),) for client in clients)


def test_clients_that_log_in_at_once_are_told_each_of_its_own(served):
    """Also where there are no backends yet: a database of its own."""
    served.straight.sql("CREATE DATABASE at_once")
    place = served.endpoint.at(dbname="at_once")
    with ThreadPoolExecutor(8) as threads, contextlib.ExitStack() as undo:
        # One that has been there tells what the others begin with.
        place.connect().close()
        made = [undo.enter_context(contextlib.closing(client)) for client in threads.map(lambda _: place.connect(), range(8))]
        told = [pid(client) for client in made]
        assert len(set(told)) == 8
        assert list(threads.map(lambda client: client.execute("SELECT pg_backend_pid()").fetchone()[0], made)) == told


def test_the_first_client_needs_one_backend(served):
    """Also while that is asked with what search_path its sessions begin."""
    served.straight.sql("CREATE DATABASE visited")
    with contextlib.closing(served.endpoint.at(dbname="visited").connect()) as client:
        assert is_alive(client)
        backends = [row for row in served.console("SHOW SERVERS") if row["database"] == "visited"]
        assert [(row["node"], row["remote_pid"]) for row in backends if row["node"] == "node1"] == [("node1", str(pid(client)))]


def test_what_clients_run_at_once_runs_on_their_own(served, place):
    """So that what others see of it in pg_stat_activity leads to them."""
    count = 6
    with ThreadPoolExecutor(count) as threads, contextlib.ExitStack() as undo:
        made = [undo.enter_context(contextlib.closing(place.connect())) for _ in range(count)]
        for _ in range(20):
            list(threads.map(lambda client: client.execute("SELECT 1 FOR UPDATE"), made))
        sleeping = [threads.submit(client.execute, "SELECT pg_sleep(500)") for client in made]
        wait_for(lambda: len([row for row in served.busy_backends() if "pg_sleep" in row[3]]) == count, "all to run")
        told = {client: pid(client) for client in made}
        victim = made.pop()
        served.straight.sql(f"SELECT pg_terminate_backend({told[victim]})")
        with pytest.raises(psycopg.OperationalError, match=ENDED):
            sleeping.pop().result()
        for client, query in zip(made, sleeping):
            served.straight.sql(f"SELECT pg_cancel_backend({told[client]})")
            with pytest.raises(psycopg.errors.QueryCanceled):
                query.result()


def test_who_comes_next_is_told_of_another_process():
    """Who knew the former client may still mean that one, and programs see by it that they have a new connection."""
    with Served(threads=1) as served:
        for place in (served.straight, served.endpoint):
            told = []
            for _ in range(6):
                with contextlib.closing(place.connect()) as client:
                    told.append(pid(client))
                    assert is_alive(client)
            assert len(set(told)) == 6


@pytest.mark.parametrize("query", ["SELECT pg_terminate_backend(%s)", "SELECT PG_TERMINATE_BACKEND(pid) FROM pg_stat_activity WHERE pid = %s"])
def test_a_client_that_another_terminates_is_ended(clients, query):
    killer, victim, other = clients
    assert killer.execute(query, [pid(victim)]).fetchall() == [(True,)]

    def is_ended():
        try:
            victim.execute("SELECT 1")
        except psycopg.OperationalError as error:
            return str(error)
    # PostgreSQL sends the signal and does not wait.
    told = wait_for(is_ended, "the client to be ended")
    assert "administrator command" in told or "closed" in told
    assert is_alive(killer) and is_alive(other)


def test_a_client_that_terminates_itself_is_ended(clients):
    suicide, *others = clients
    with pytest.raises(psycopg.OperationalError, match=ENDED):
        suicide.execute("SELECT pg_terminate_backend(%s)", [pid(suicide)])
    assert suicide.closed
    assert all(is_alive(client) for client in others)


def test_a_query_that_another_cancels_is_cancelled(served, clients):
    canceller, busy, other = clients
    told = []

    def sleep():
        try:
            busy.execute("SELECT pg_sleep(500)")
        except psycopg.Error as error:
            told.append(error.sqlstate)
    thread = threading.Thread(target=sleep)
    thread.start()
    wait_for(lambda: [row for row in served.busy_backends() if "pg_sleep" in row[3]], "the query to run")
    assert canceller.execute("SELECT pg_cancel_backend(%s)", [pid(busy)]).fetchall() == [(True,)]
    thread.join()
    assert told == ["57014"]
    assert is_alive(canceller) and is_alive(busy) and is_alive(other)
