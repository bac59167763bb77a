"""Numbers of sequences: sessions that draw them share backends and read on replicas, and what currval and lastval tell is their own."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from endpoint import Served
from proxy import Proxy
from replicas import wait_for_replicas
from tandem import wait_for

TABLES = """CREATE TABLE orders (id serial PRIMARY KEY, n int);
            CREATE TABLE bills (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int);
            CREATE SEQUENCE apart START 1000"""
DRAWS = ("INSERT INTO orders (n) VALUES (1) RETURNING id", "INSERT INTO bills (n) VALUES (1) RETURNING id", "SELECT nextval('apart')")


@pytest.fixture(scope="module")
def served():
    with Served(replicas=2) as made:
        made.straight.sql(TABLES)
        wait_for_replicas(made)
        yield made


def proxy(served, **settings):
    return Proxy(served, servers=[f"127.0.0.1:{served.tandem.node_port(f'node{number}')}" for number in (1, 2, 3)], **settings)


def pins(served_or_proxy):
    with served_or_proxy.connect(dbname="pgtandem", cursor_factory=psycopg.ClientCursor) as console:
        return console.execute("SHOW PINS").fetchall()


def is_unknown(session, query):
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        session.execute(query)
    return True


@pytest.mark.parametrize("draw", DRAWS)
def test_sessions_that_draw_share_backends(served, draw):
    with proxy(served, pool_size=2, threads=1) as shared:
        sessions = [shared.place.connect() for _ in range(8)]
        found = []

        def work(session):
            found.extend(session.execute(draw).fetchone()[0] for _ in range(20))

        threads = [threading.Thread(target=work, args=(session,)) for session in sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(found)) == len(sessions) * 20
        assert pins(shared.place) == []
        for session in sessions:
            session.close()


def test_a_session_that_draws_reads_on_replicas(served):
    with served.endpoint.connect(options="-c pgtandem.route=replica") as session:
        for draw in DRAWS:
            session.execute(draw)
        wait_for(lambda: session.execute("SELECT pg_is_in_recovery() FROM orders").fetchone()[0], "a read on a replica")


@pytest.mark.parametrize("kind", ["straight", "endpoint"])
def test_a_session_is_told_of_its_own_numbers(served, kind):
    place = getattr(served, kind)
    with place.connect() as first, place.connect() as second:
        assert is_unknown(first, "SELECT lastval()") and is_unknown(first, "SELECT currval('apart')")
        drawn, = first.execute("SELECT nextval('apart')").fetchone()
        mine, = first.execute(DRAWS[0]).fetchone()
        assert second.execute("SELECT nextval('apart')").fetchone() != (drawn,)
        assert first.execute("SELECT lastval(), currval('apart'), currval('orders_id_seq')").fetchone() == (mine, drawn, mine)
        assert is_unknown(second, "SELECT currval('orders_id_seq')")
        first.execute("DISCARD SEQUENCES")
        assert is_unknown(first, "SELECT currval('apart')")


def test_a_session_that_shares_its_backend_is_never_told_of_anothers_numbers(served):
    with proxy(served, pool_size=1, threads=1) as shared, shared.place.connect() as first, shared.place.connect() as second:
        with first.transaction():
            mine, = first.execute(DRAWS[0]).fetchone()
            second_draws = threading.Thread(target=second.execute, args=(DRAWS[2],))
            second_draws.start()
        second_draws.join()
        assert is_unknown(first, "SELECT lastval()")
        first.execute("DISCARD ALL")
        assert is_unknown(second, "SELECT currval('orders_id_seq')")
        second.execute("DISCARD ALL")
        # The session asks: what it draws is kept for it for a moment, and it is not pinned.
        mine, = first.execute(DRAWS[0]).fetchone()
        assert first.execute("SELECT lastval()").fetchone() == (mine,)
        assert pins(shared.place) == []
        first.execute("DISCARD SEQUENCES")
        assert second.execute(DRAWS[2]).fetchone()


def in_threads(count, work):
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))


def test_one_who_asks_for_a_number_costs_others_nothing_that_lasts(served):
    """More clients than backends insert, once somebody has asked."""
    with proxy(served, pool_size=3, threads=1, query_wait_timeout_ms=10_000) as shared:
        with shared.place.connect() as careless:
            with pytest.raises(psycopg.Error):
                careless.execute("SELECT lastval()")
            for _ in range(3):
                mine, = careless.execute(DRAWS[0]).fetchone()
                assert careless.execute("SELECT lastval()").fetchone() == (mine,)
            sessions = [shared.place.connect() for _ in range(12)]
            began = time.monotonic()
            for draw in DRAWS:
                in_threads(12, lambda number, draw=draw: [sessions[number].execute(draw) for _ in range(20)])
            assert time.monotonic() - began < 8
            assert pins(shared.place) == []
            for session in sessions:
                session.close()


def test_sessions_that_ask_share_backends_and_are_told_their_own(served):
    """More of them than backends; each draws in one transaction and asks in the next. The first may come too late."""
    with proxy(served, pool_size=3, threads=1, query_wait_timeout_ms=20_000) as shared:
        with shared.place.connect() as first:
            mine, = first.execute(DRAWS[0]).fetchone()
            assert first.execute("SELECT lastval()").fetchone() == (mine,)

        def work(_):
            wrong = []
            with shared.place.connect() as session:
                for _ in range(10):
                    mine, = session.execute(DRAWS[0]).fetchone()
                    told = session.execute("SELECT lastval(), currval('orders_id_seq')").fetchone()
                    wrong += [told] if told != (mine, mine) else []
            return wrong
        assert in_threads(12, work) == [[]] * 12


def test_numbers_drawn_and_asked_for_within_a_block_are_known_there(served):
    with proxy(served, pool_size=1, threads=1) as shared, shared.place.connect() as first, shared.place.connect() as second:
        second.execute(DRAWS[2])
        with first.transaction():
            mine, = first.execute(DRAWS[0]).fetchone()
            assert first.execute("SELECT lastval(), currval('orders_id_seq')").fetchone() == (mine, mine)
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState), first.transaction():
                first.execute("SELECT currval('apart')")
