"""psycopg 3, psycopg2 and asyncpg through the endpoint as straight: each scenario runs against both."""
import asyncio
import datetime
import decimal
import threading
import uuid
from contextlib import closing

import psycopg
import pytest
from endpoint import SPLIT, served_for
from tandem import wait_for

served = served_for(SPLIT)
VALUES = [42, "ünïcödé", decimal.Decimal("1.50"), datetime.date(2024, 2, 29), True, None, b"\x00\xff", [1, 2, 3],
          uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"), 2 ** 40]


def is_sleeping(served):
    return [row for row in served.backends() if row[1] == "active" and "pg_sleep" in row[3]]


# --- psycopg 3


@pytest.mark.parametrize("binary", [False, True])
def test_psycopg3_values_come_back(place, binary):
    with place.connect() as session:
        row = session.execute(f"SELECT {', '.join(['%s'] * len(VALUES))}", VALUES, binary=binary).fetchone()
        assert [bytes(value) if isinstance(value, memoryview) else value for value in row] == VALUES


def test_psycopg3_prepares_and_keeps_on(place):
    # Another session's writes are seen at once where reads are shared, too, if it asks for that.
    strict = "-c pgtandem.consistency=strict"
    with place.connect(prepare_threshold=2) as session, place.connect(prepare_threshold=2, options=strict) as other:
        session.execute("DROP TABLE IF EXISTS changing")
        session.execute("CREATE TABLE changing (a int)")
        for number in range(20):
            session.execute("INSERT INTO changing VALUES (%s)", (number,))
            assert other.execute("SELECT count(*) FROM changing WHERE a <= %s", (number,)).fetchone()[0] == number + 1
        session.execute("SELECT %s::text", ("forced",), prepare=True)
        session.prepared_max = 1
        for number in range(20):
            assert session.execute(f"SELECT {number}, %s::int", (number,), prepare=True).fetchone() == (number, number)


def test_psycopg3_server_side_cursors(place):
    with place.connect(autocommit=False) as session:
        with session.cursor("named") as cursor:
            cursor.execute("SELECT generate_series(1, 1000)")
            cursor.itersize = 33
            assert [row[0] for row in cursor] == list(range(1, 1001))
        with session.cursor("scrolled", scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 10)")
            cursor.scroll(5)
            assert cursor.fetchone() == (6,)
            cursor.scroll(0, mode="absolute")
            assert cursor.fetchmany(2) == [(1,), (2,)]
        with session.cursor("held", withhold=True) as cursor:
            cursor.execute("SELECT generate_series(1, 4)")
            session.commit()
            assert cursor.fetchall() == [(1,), (2,), (3,), (4,)]


def test_psycopg3_pipelines(place):
    with place.connect() as session:
        with session.pipeline() as pipeline:
            cursors = [session.execute("SELECT %s::int", (number,)) for number in range(100)]
            pipeline.sync()
            assert [cursor.fetchone()[0] for cursor in cursors] == list(range(100))
        with pytest.raises(psycopg.errors.DivisionByZero), session.pipeline():
            session.execute("SELECT 1")
            session.execute("SELECT 1/0")
            session.execute("SELECT 2")
        assert session.execute("SELECT 3").fetchone() == (3,)


def test_psycopg3_copies(place):
    with place.connect() as session:
        session.execute("DROP TABLE IF EXISTS copied")
        session.execute("CREATE TABLE copied (n int, t text)")
        with session.cursor().copy("COPY copied FROM STDIN") as copy:
            for number in range(10000):
                copy.write_row((number, f"row {number}"))
        with session.cursor().copy("COPY copied TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            assert [row for row in copy.rows()] == [(number, f"row {number}") for number in range(10000)]
        with pytest.raises((ZeroDivisionError, psycopg.errors.QueryCanceled)), session.cursor().copy("COPY copied FROM STDIN") as copy:
            copy.write_row((1, "never"))
            raise ZeroDivisionError
        assert session.execute("SELECT count(*) FROM copied").fetchone() == (10000,)


def test_psycopg3_notifications(place):
    with place.connect() as listener, place.connect() as speaker:
        listener.execute("LISTEN bell")
        for number in range(5):
            speaker.execute("SELECT pg_notify('bell', %s)", (str(number),))
        heard = []
        for notify in listener.notifies():
            heard.append((notify.channel, notify.payload))
            if len(heard) == 5:
                break
        assert heard == [("bell", str(number)) for number in range(5)]


def test_psycopg3_transactions_and_two_phase(place):
    with place.connect() as session:
        session.execute("DROP TABLE IF EXISTS two_phase")
        session.execute("CREATE TABLE two_phase (a int)")
        with session.transaction():
            session.execute("INSERT INTO two_phase VALUES (1)")
            with pytest.raises(psycopg.errors.DivisionByZero), session.transaction():
                session.execute("INSERT INTO two_phase VALUES (2)")
                session.execute("SELECT 1/0")
        assert session.execute("SELECT a FROM two_phase").fetchall() == [(1,)]
    with closing(place.connect(autocommit=False)) as session:
        xid = session.xid(1, f"of {place.port}", "branch")
        session.tpc_begin(xid)
        session.execute("INSERT INTO two_phase VALUES (3)")
        session.tpc_prepare()
    with closing(place.connect(autocommit=False)) as session:
        assert f"of {place.port}" in [xid.gtrid for xid in session.tpc_recover()]
        session.rollback()
        session.tpc_commit(xid)
        assert session.execute("SELECT a FROM two_phase ORDER BY a").fetchall() == [(1,), (3,)]


def test_psycopg3_cancels_and_sees_notices(served, place):
    with place.connect() as session:
        heard = []
        session.add_notice_handler(lambda notice: heard.append(notice.message_primary))
        session.execute("DO $$ BEGIN RAISE NOTICE 'heard'; END $$")
        assert heard == ["heard"]

        def cancel():
            wait_for(lambda: is_sleeping(served), "the query to run")
            session.cancel()
        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            session.execute("SELECT pg_sleep(500)")
        thread.join()
        assert session.execute("SELECT 1").fetchone() == (1,)


# --- psycopg2


@pytest.fixture
def psycopg2():
    return pytest.importorskip("psycopg2", reason="python3-psycopg2 is not installed")


def test_psycopg2_transactions_cursors_copy_and_large_objects(psycopg2, place):
    import io
    session = psycopg2.connect(**place.words())
    try:
        cursor = session.cursor()
        cursor.execute("DROP TABLE IF EXISTS of_psycopg2")
        cursor.execute("CREATE TABLE of_psycopg2 (n int, t text)")
        cursor.copy_from(io.StringIO("".join(f"{n}\trow {n}\n" for n in range(1000))), "of_psycopg2")
        session.commit()
        cursor.execute("INSERT INTO of_psycopg2 VALUES (%s, %s)", (5000, "rolled back"))
        session.rollback()
        named = session.cursor("named")
        named.itersize = 100
        named.execute("SELECT n FROM of_psycopg2 ORDER BY n")
        assert [row[0] for row in named] == list(range(1000))
        named.close()
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT n FROM of_psycopg2 WHERE n < 3 ORDER BY n) TO STDOUT", out)
        assert out.getvalue() == "0\n1\n2\n"
        large = session.lobject(0, "wb")
        large.write(b"x" * 100000)
        oid = large.oid
        large.close()
        session.commit()
        assert session.lobject(oid, "rb").read() == b"x" * 100000
        session.lobject(oid).unlink()
        session.commit()
        session.set_session(isolation_level="SERIALIZABLE", readonly=True)
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM of_psycopg2")
        session.rollback()
        session.set_client_encoding("LATIN1")
        cursor.execute("SELECT 'é'")
        assert cursor.fetchone() == ("é",)
        session.reset()
        session.autocommit = True
        cursor.execute("LISTEN bell")
        cursor.execute("NOTIFY bell, 'x'")
        session.poll()
        assert [notify.payload for notify in session.notifies] == ["x"]
    finally:
        session.close()


# --- asyncpg


@pytest.fixture
def asyncpg():
    return pytest.importorskip("asyncpg", reason="python3-asyncpg is not installed")


def with_asyncpg(asyncpg, place, scenario, **more):
    async def run():
        words = place.words()
        session = await asyncpg.connect(host=words["host"], port=words["port"], user=words["user"], timeout=60,
                                        password=words["password"], database=words["dbname"], **more)
        try:
            return await scenario(session)
        finally:
            await session.close(timeout=60)
    return asyncio.run(run())


def test_asyncpg_prepared_cache_and_types(asyncpg, place):
    async def scenario(session):
        for number in range(50):
            assert await session.fetchval("SELECT $1::int + 1", number) == number + 1
            assert await session.fetchval(f"SELECT {number % 7} + $1::int", 1) == number % 7 + 1
        statement = await session.prepare("SELECT $1::text, $2::numeric, $3::timestamptz")
        moment = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)
        assert tuple(await statement.fetchrow("x", decimal.Decimal("1.5"), moment)) == ("x", decimal.Decimal("1.5"), moment)
        await session.execute("DROP TYPE IF EXISTS mood CASCADE; CREATE TYPE mood AS ENUM ('sad', 'happy')")
        assert await session.fetchval("SELECT $1::mood", "happy") == "happy"
        assert await session.fetch("SELECT * FROM unnest($1::int[], $2::text[])", [1, 2], ["a", "b"]) == [(1, "a"), (2, "b")]
        await session.executemany("SELECT $1::int", [(number,) for number in range(100)])
        await session.reset()
        assert await session.fetchval("SELECT 7") == 7
    with_asyncpg(asyncpg, place, scenario, statement_cache_size=5)


def test_asyncpg_statements_survive_a_change_of_the_table(asyncpg, place):
    async def scenario(session):
        await session.execute("DROP TABLE IF EXISTS grown; CREATE TABLE grown (a int); INSERT INTO grown VALUES (1)")
        assert dict(await session.fetchrow("SELECT * FROM grown")) == {"a": 1}
        await session.execute("ALTER TABLE grown ADD COLUMN b int DEFAULT 2")
        assert dict(await session.fetchrow("SELECT * FROM grown")) == {"a": 1, "b": 2}
    with_asyncpg(asyncpg, place, scenario)


def test_asyncpg_cursors_and_nested_transactions(asyncpg, place):
    async def scenario(session):
        await session.execute("DROP TABLE IF EXISTS nested; CREATE TABLE nested (a int)")
        async with session.transaction():
            await session.execute("INSERT INTO nested VALUES (1)")
            with pytest.raises(asyncpg.DivisionByZeroError):
                async with session.transaction():
                    await session.execute("INSERT INTO nested VALUES (2)")
                    await session.fetch("SELECT 1/0")
            found = [row[0] async for row in session.cursor("SELECT generate_series(1, 500)", prefetch=50)]
            assert found == list(range(1, 501))
            cursor = await session.cursor("SELECT generate_series(1, 10)")
            await cursor.forward(3)
            assert (await cursor.fetchrow())[0] == 4
        assert await session.fetchval("SELECT array_agg(a) FROM nested") == [1]
        async with session.transaction(isolation="serializable", readonly=True):
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await session.execute("DELETE FROM nested")
    with_asyncpg(asyncpg, place, scenario)


def test_asyncpg_copies_listens_and_cancels(asyncpg, place):
    async def scenario(session):
        await session.execute("DROP TABLE IF EXISTS async_copied; CREATE TABLE async_copied (n int, t text)")
        records = [(number, f"row {number}") for number in range(5000)]
        assert await session.copy_records_to_table("async_copied", records=records) == "COPY 5000"
        out = bytearray()

        async def take(data):
            out.extend(data)
        await session.copy_from_query("SELECT n FROM async_copied WHERE n < $1 ORDER BY n", 3, output=take)
        assert bytes(out) == b"0\n1\n2\n"
        heard = asyncio.get_running_loop().create_future()
        await session.add_listener("bell", lambda _, pid, channel, payload: heard.done() or heard.set_result((channel, payload)))
        await session.execute("NOTIFY bell, 'x'")
        assert await asyncio.wait_for(heard, 60) == ("bell", "x")
        with pytest.raises(asyncio.TimeoutError):
            await session.fetch("SELECT pg_sleep(500)", timeout=0.1)
        assert await session.fetchval("SELECT 1") == 1
    with_asyncpg(asyncpg, place, scenario)


def test_asyncpg_pool_of_sessions(asyncpg, place):
    async def scenario(_):
        words = place.words()
        async with asyncpg.create_pool(host=words["host"], port=words["port"], user=words["user"], password=words["password"],
                                       database=words["dbname"], min_size=5, max_size=10) as pool:
            answers = await asyncio.gather(*(pool.fetchval("SELECT $1::int", number) for number in range(200)))
            assert answers == list(range(200))
    with_asyncpg(asyncpg, place, scenario)
