"""No state passes from one client to another over a backend they share, and no cancel hits another's query."""
import random
import threading
import time

import pytest
import wire_messages as wire
from endpoint import served_for
from scripted import PRIVATE_SEQUENCE, TRACES, leave, sequence_is_private, told
from tandem import PATIENCE, wait_for
from wire_client import WireClient, errors, state, values

served = served_for(pool_size=1)
LEAVING = {"says goodbye": WireClient.terminate, "dies": WireClient.close, "is reset": WireClient.reset}


@pytest.mark.parametrize("trace", TRACES)
@pytest.mark.parametrize("leaving", LEAVING)
def test_what_a_client_leaves_is_not_seen_by_the_next(served, place, trace, leaving):
    statements, question, wanted = TRACES[trace]
    wanted = wanted or told(served.straight, question)
    parameters = {"extra_float_digits": "-5"} if not statements else {}
    client = WireClient(place).log_in(**parameters)
    leave(client, statements)
    LEAVING[leaving](client)
    assert told(place, question) == wanted


@pytest.mark.parametrize("trace", ["a setting", "a reported setting", "a custom setting", "a setting by a function",
                                   "the search path", "a role", "a read-only session", "an isolation level",
                                   "a setting of the login"])
def test_two_clients_that_take_turns_each_keep_their_own(served, place, trace):
    """These need no backend of their own; on the one there is, the second must not see what the first has set."""
    statements, question, wanted = TRACES[trace]
    wanted = wanted or told(served.straight, question)
    with WireClient(place).log_in() as first, WireClient(place).log_in() as second:
        for _ in range(3):
            leave(first, statements)
            own = first.value(question)
            assert second.value(question) == wanted
            assert first.value(question) == own


def test_clients_do_share_the_one_backend(endpoint):
    """Without this the tests above would prove nothing."""
    question = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%of_the_backend%'"
    with WireClient(endpoint).log_in() as first, WireClient(endpoint).log_in() as second:
        assert first.value(question + " AND 'of_the_backend' <> ''") == second.value(question + " AND 'of_the_backend' <> ''")


def test_a_sequence_used_by_one_client_has_no_current_value_for_the_next(place):
    client = WireClient(place).log_in()
    leave(client, PRIVATE_SEQUENCE)
    client.terminate()
    assert sequence_is_private(place)


def test_prepared_statements_of_one_name_are_each_clients_own(place):
    clients = [WireClient(place).log_in() for _ in range(5)]
    for number, client in enumerate(clients):
        client.send(wire.parse(f"SELECT {number}", "same"), wire.sync())
        assert errors(client.until("Z")) == []
    for _ in range(2):
        for number, client in enumerate(clients):
            client.send(wire.bind(statement="same"), wire.execute(), wire.sync())
            assert client.until("Z")[1].body.endswith(str(number).encode())
    for client in clients:
        client.terminate()
    with WireClient(place).log_in() as other:
        other.send(wire.bind(statement="same"), wire.sync())
        assert errors(other.until("Z")) == ["26000"]


# --- what a client sees of its prepared statements: all of its own, by its own names, and nobody else's

LISTING = "SELECT string_agg(name || '=' || statement, ';' ORDER BY name) FROM pg_prepared_statements"


def prepare(client, **statements):
    client.send(*(wire.parse(text, name) for name, text in statements.items()), wire.sync())
    assert errors(client.until("Z")) == []


def listed(client, extended):
    if not extended:
        return client.value(LISTING)
    client.send(wire.parse(LISTING), wire.bind(), wire.execute(), wire.sync())
    return values(client.until("Z"))[0][0]


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
@pytest.mark.parametrize("in_block", [False, True], ids=["outside", "in a block"])
def test_a_client_sees_its_own_prepared_statements(place, extended, in_block):
    with WireClient(place).log_in() as other, WireClient(place).log_in() as client:
        prepare(other, a="SELECT 'theirs'", c="SELECT 'more of theirs'")
        prepare(client, a="SELECT 1", b="SELECT 2")
        if in_block:
            client.query("BEGIN")
        assert listed(client, extended) == "a=SELECT 1;b=SELECT 2"
        prepare(client, d="SELECT 4")
        client.send(wire.close("S", "a"), wire.bind(statement="b"), wire.execute(), wire.bind(statement="d"), wire.describe("S", "d"),
                    wire.execute(), wire.sync())
        assert values(client.until("Z")) == [["2"], ["4"]]
        assert listed(client, extended) == "b=SELECT 2;d=SELECT 4"
        client.send(wire.parse("SELECT 5", "b"), wire.sync())
        assert errors(client.until("Z")) == ["42P05"]
        if in_block:
            client.query("ROLLBACK")
        assert listed(client, extended) == "b=SELECT 2;d=SELECT 4"
        client.query("DEALLOCATE b")
        client.send(wire.bind(statement="b"), wire.sync())
        assert errors(client.until("Z")) == ["26000"]
        # With the last of them the client has no need of the backend any more.
        client.query("DEALLOCATE ALL")
        assert other.value("SELECT 'shared'") == "shared"
        prepare(client, b="SELECT 6")
        for who, statement, wanted in ((other, "a", "theirs"), (client, "b", "6")):
            who.send(wire.bind(statement=statement), wire.execute(), wire.sync())
            assert values(who.until("Z")) == [[wanted]]
        assert listed(client, extended) == "b=SELECT 6"


def test_names_are_kept_where_what_was_sent_after_an_error_is_void(place):
    with WireClient(place).log_in() as client:
        prepare(client, a="SELECT 1", b="SELECT 2")
        client.send(wire.parse("SELECT 1/0"), wire.bind(), wire.execute(), wire.parse(LISTING), wire.bind(), wire.execute(),
                    wire.close("S", "a"), wire.sync())
        assert errors(client.until("Z")) == ["22012"]
        client.send(wire.bind(statement="a"), wire.execute(), wire.sync())
        assert values(client.until("Z")) == [["1"]]
        assert listed(client, False) == "a=SELECT 1;b=SELECT 2"
        client.send(wire.parse("SELECT 1/0"), wire.bind(), wire.execute(), wire.close("S", "a"), wire.parse("SELECT 3", "c"), wire.sync())
        assert errors(client.until("Z")) == ["22012"]
        assert listed(client, False) == "a=SELECT 1;b=SELECT 2"
        client.send(wire.bind(statement="a"), wire.execute(), wire.bind(statement="c"), wire.sync())
        assert errors(client.until("Z")) == ["26000"]


def test_a_statement_that_cannot_be_prepared_any_more_hides_no_answer(place):
    with WireClient(place).log_in() as client:
        client.query("CREATE TABLE short_lived (a int)")
        prepare(client, a="SELECT 1", b="TABLE short_lived", c="SELECT 3")
        client.query("DROP TABLE short_lived")
        assert "a=SELECT 1" in client.value(LISTING)
        for name, wanted in (("a", "1"), ("c", "3")):
            client.send(wire.bind(statement=name), wire.execute(), wire.sync())
            assert values(client.until("Z")) == [[wanted]]
        client.send(wire.bind(statement="b"), wire.sync())
        assert errors(client.until("Z")) == ["42P01"]


def test_a_backend_is_given_up_when_a_transaction_ends(endpoint):
    with WireClient(endpoint).log_in() as first, WireClient(endpoint).log_in() as second:
        assert state(first.query("BEGIN")) == "T"
        first.query("SELECT 1")
        second.send(wire.query("SELECT 'second' FOR UPDATE"))  # of the primary's backends, which is one
        assert second.try_receive(0.2) is None, "there is one backend, and the first client's transaction has it"
        first.query("COMMIT")
        assert second.until("Z")[1].body.endswith(b"second")


# --- a batch without its Sync is a transaction, of which no ReadyForQuery has told


def empty_table(served, name):
    served.straight.sql(f"CREATE TABLE IF NOT EXISTS {name} (who text); TRUNCATE {name}")


def begin_batch(place, statement, answer):
    client = WireClient(place).log_in()
    client.send(wire.parse(statement), wire.bind(), wire.execute(), wire.flush())
    client.until(answer)
    return client


@pytest.mark.parametrize("leaving", LEAVING)
def test_a_batch_that_was_never_synced_is_not_committed_by_another_client(served, place, leaving):
    empty_table(served, "half_done")
    LEAVING[leaving](begin_batch(place, "INSERT INTO half_done VALUES ('gone')", "C"))
    with WireClient(place).log_in() as other:
        other.send(wire.parse("INSERT INTO half_done VALUES ('here')"), wire.bind(), wire.execute(), wire.sync())
        assert errors(other.until("Z")) == []
        assert values(other.query("SELECT who FROM half_done")) == [["here"]]


def test_a_batch_goes_on_behind_what_the_endpoint_answers_itself(served, endpoint):
    empty_table(served, "half_done")
    client = begin_batch(endpoint, "INSERT INTO half_done VALUES ('gone')", "C")
    assert client.value("SHOW pgtandem.consistency") == "endpoint"
    client.close()
    with WireClient(endpoint).log_in() as other:
        assert values(other.query("INSERT INTO half_done VALUES ('here') RETURNING who")) == [["here"]]
        assert values(other.query("SELECT who FROM half_done")) == [["here"]]


@pytest.mark.parametrize("leaving", LEAVING)
def test_who_comes_after_an_error_that_was_never_synced_is_answered(place, leaving):
    """Until the Sync a server overlooks all that it is sent."""
    LEAVING[leaving](begin_batch(place, "SELECT 1/0", "E"))
    with WireClient(place).log_in() as other:
        assert other.value("SELECT 'answered'") == "answered"


@pytest.mark.parametrize("leaving", LEAVING)
def test_rows_of_a_copy_that_was_never_synced_are_not_committed(served, place, leaving):
    empty_table(served, "half_copied")
    client = begin_batch(place, "COPY half_copied FROM STDIN", "G")
    # The server reads this Sync as a part of the COPY, and overlooks it.
    client.send(wire.sync(), wire.copy_data(b"gone\n"), wire.copy_done(), wire.flush())
    client.until("C")
    LEAVING[leaving](client)
    with WireClient(place).log_in() as other:
        assert values(other.query("SELECT count(*) FROM half_copied")) == [["0"]]


# --- cancelling


def test_a_cancel_ends_the_query_it_is_meant_for(place):
    with WireClient(place).log_in() as client:
        client.send(wire.query("SELECT pg_sleep(600)"))
        wait_for(lambda: client.cancel() or client.try_receive(0.05), "the query to be cancelled")
        answer = client.transcript[-1:] + (client.until("Z") if client.transcript[-1].kind != "Z" else [])
        assert "57014" in errors(client.transcript) and answer[-1].kind == "Z"
        assert client.value("SELECT 1") == "1"


@pytest.mark.parametrize("wrong", ["key", "pid", "short key", "no key", "long key"])
def test_a_cancel_with_a_wrong_key_does_nothing(place, wrong):
    with WireClient(place).log_in() as client:
        client.send(wire.query("SELECT pg_sleep(0.3), 'undisturbed'"))
        turned = bytes([client.key[0] ^ 1]) + client.key[1:]
        pid, key = {"key": (client.pid, turned), "pid": (client.pid + 1, client.key), "short key": (client.pid, client.key[:3]),
                    "no key": (client.pid, b""), "long key": (client.pid, client.key + bytes(300))}[wrong]
        client.cancel(pid, key)
        assert client.until("Z")[1].body.endswith(b"undisturbed")


def test_a_cancel_of_an_idle_client_does_not_hit_who_uses_its_backend(endpoint):
    with WireClient(endpoint).log_in() as idle, WireClient(endpoint).log_in() as busy:
        idle.value("SELECT 1")
        busy.send(wire.query("SELECT pg_sleep(0.3), 'undisturbed'"))
        for _ in range(10):
            idle.cancel()
        assert busy.until("Z")[1].body.endswith(b"undisturbed")


def test_a_cancel_of_a_client_that_is_gone_hits_nobody(endpoint):
    with WireClient(endpoint).log_in() as gone:
        gone.value("SELECT 1")
        gone.terminate()
        with WireClient(endpoint).log_in() as busy:
            busy.send(wire.query("SELECT pg_sleep(0.3), 'undisturbed'"))
            gone.cancel()
            assert busy.until("Z")[1].body.endswith(b"undisturbed")


def test_keys_are_not_to_be_guessed(place):
    clients = [WireClient(place).log_in() for _ in range(20)]
    assert len({client.key for client in clients}) == 20
    assert all(len(client.key) >= 4 for client in clients)
    assert len({client.pid for client in clients}) == 20
    for client in clients:
        client.close()


def test_random_cancels_hit_only_those_whose_key_is_sent(place):
    """Half of the clients are cancelled again and again while all of them share the backend; the others must never notice.

    On a busy machine a cancel comes when its query is over: then with longer ones, until some hit.
    """
    victims, bystanders = ([WireClient(place).log_in() for _ in range(6)] for _ in range(2))
    ended = threading.Event()
    dice = random.Random(7)

    def cancel_at_random():
        while not ended.is_set():
            dice.choice(victims).cancel()
    thread = threading.Thread(target=cancel_at_random)
    thread.start()
    hits = rounds = 0
    give_up = time.monotonic() + PATIENCE
    try:
        while rounds < 60 or (hits == 0 and time.monotonic() < give_up):
            rounds += 1
            for client in victims + bystanders:
                client.send(wire.query(f"SELECT pg_sleep({0.002 if rounds <= 60 else 0.05})"))
            for client in victims:
                hits += errors(client.until("Z")) == ["57014"]
            for client in bystanders:
                assert errors(client.until("Z")) == []
    finally:
        ended.set()
        thread.join()
    assert hits > 0, "no cancel came in time, so nothing was tried"
    for client in victims + bystanders:
        client.close()


def test_a_setting_of_ones_own_that_was_reset_is_empty_also_on_a_new_backend(place):
    """The other client may not see that the name is known: it gets a backend that has never had it."""
    with WireClient(place).log_in() as one, WireClient(place).log_in() as other:
        one.query("SET my.own = 'x'")
        one.query("RESET my.own")
        assert other.value("SELECT current_setting('my.own', true)") is None
        assert one.value("SELECT current_setting('my.own', true)") == ""
