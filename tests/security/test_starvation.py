"""One client cannot take another one's turn: who waits for a backend gets one as soon as there is one that may be given up for it."""
import contextlib
import threading
import time

import psycopg
import pytest
from endpoint import Served
from proxy import Proxy
from tandem import wait_for

USERS = [f"u{number}" for number in range(8)]


@pytest.fixture(scope="module")
def served():
    with Served(replicas=0) as made:
        for user in USERS:
            made.straight.sql(f"CREATE ROLE {user} LOGIN PASSWORD 'secret'")
        made.straight.sql("CREATE DATABASE second")
        yield made


def as_user(place, user, **more):
    return place.at(user=user, password="secret", **more)


class Clients:
    """Threads, each with what it was told; ended by the test's end at the latest."""

    def __init__(self):
        self.threads = []
        self.failures = []

    def start(self, work, *given):
        def run():
            try:
                work(*given)
            except psycopg.Error as error:
                self.failures.append(str(error))
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def join(self):
        for thread in self.threads:
            thread.join()
        return self.failures


@pytest.mark.parametrize("databases", [["postgres"], ["postgres", "second"]], ids=["users", "databases"])
def test_a_pool_without_a_backend_gets_the_room_of_another(served, databases):
    with Proxy(served, server_connections=4, split=False, threads=1, query_wait_timeout_ms=20_000) as proxy, contextlib.ExitStack() as undo:
        clients = Clients()
        made = [undo.enter_context(as_user(proxy.place, user, dbname=databases[number % len(databases)]).connect())
                for number, user in enumerate(USERS[:5])]
        for client in made[:4]:
            clients.start(client.execute, "SELECT pg_sleep(2)")
        wait_for(lambda: served.straight.value("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'") == 4, "all to run")
        began = time.monotonic()
        assert made[4].execute("SELECT 1").fetchone() == (1,)
        assert time.monotonic() - began < 10
        assert clients.join() == []


def test_busy_pools_do_not_starve_another(served):
    """Each with more clients than there are backends, who never pause."""
    with Proxy(served, server_connections=3, split=False, threads=1, query_wait_timeout_ms=20_000) as proxy:
        clients, ends_at = Clients(), time.monotonic() + 6
        done = dict.fromkeys(USERS, 0)

        def work(user):
            with as_user(proxy.place, user).connect() as client:
                while time.monotonic() < ends_at:
                    client.execute("SELECT pg_sleep(0.002)")
                    done[user] += 1
        for user in USERS[:3]:
            for _ in range(5):
                clients.start(work, user)
        for user in USERS[3:]:
            clients.start(work, user)
        assert clients.join() == []
        assert min(done.values()) > 3, done


def test_more_clients_of_more_users_than_backends_are_all_served(served):
    with Proxy(served, server_connections=6, split=False, threads=2, query_wait_timeout_ms=20_000) as proxy:
        clients = Clients()

        def work(user):
            with as_user(proxy.place, user).connect() as client:
                for _ in range(10):
                    client.execute("SELECT pg_sleep(0.02)")
        for number in range(40):
            clients.start(work, USERS[number % len(USERS)])
        assert clients.join() == []


@pytest.mark.parametrize("limited", ["role", "database"])
def test_a_limit_of_the_servers_is_shared_by_all_threads(served, limited):
    """The backends that clients have left behind on another thread make room for a client on a thread that has none."""
    change = "ROLE u0" if limited == "role" else "DATABASE second"
    served.straight.sql(f"ALTER {change} CONNECTION LIMIT 2")
    try:
        with Proxy(served, split=False, threads=3, query_wait_timeout_ms=20_000) as proxy:
            for _ in range(15):
                with as_user(proxy.place, "u0", dbname="second").connect() as client:
                    assert client.execute("SELECT 1").fetchone() == (1,)
    finally:
        served.straight.sql(f"ALTER {change} CONNECTION LIMIT -1")
