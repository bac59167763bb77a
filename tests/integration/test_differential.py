"""The same SQL gives the same bytes through the endpoint as straight from the server, also while clients share backends.

Each file of tests/support/corpus is one client's work. Alone and straight it is run twice, on a database made anew, which tells what
varies by itself. Then all clients go through the endpoint, statement by statement in turn, and each must be told the same.
"""
import functools

import pytest
from corpus_client import CorpusClient, interleave
from corpus_file import corpus_names, read_corpus
from endpoint import NO_ENDPOINT, SPLIT, Served, has_endpoint
from transcripts import fields_of, first_difference, varying_fields

DATABASE = "corpus"
PROTOCOLS = ("simple", "extended")


class Sharing:
    """A cluster whose endpoint has so many backends for all clients of a database."""

    def __init__(self, served):
        self.served = served
        self.alone = functools.cache(self.alone)

    def fresh_database(self):
        self.served.straight.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self.served.straight.sql(f"CREATE DATABASE {DATABASE}")

    def run(self, place, names, protocol):
        self.fresh_database()
        place = place.at(dbname=DATABASE)
        return interleave([CorpusClient(place, name, read_corpus(name, protocol), protocol) for name in names])

    def alone(self, name, protocol):
        """What one client is told straight from the server, for each unit: the messages, and what varies from run to run."""
        runs = [self.run(self.served.straight, [name], protocol)[0].answers for _ in range(2)]
        return [(first, varying_fields(first, second)) for (_, first), (_, second) in zip(*runs, strict=True)]

    def complaints(self, clients, protocol):
        for client in clients:
            for (unit, seen), (wanted, varying) in zip(client.answers, self.alone(client.name, protocol), strict=True):
                if found := first_difference(wanted, seen, varying):
                    yield f"{client.name}: {unit[:200]!r}: {found[:600]}"


def agree(complaints):
    complaints = list(complaints)
    assert not complaints, f"{len(complaints)} units are answered otherwise:\n" + "\n".join(complaints[:30])


@pytest.fixture(scope="module", params=[1, 3], ids=["one_backend", "three_backends"])
def sharing(request):
    with Served(SPLIT, pool_size=request.param) as served:
        yield Sharing(served)


@pytest.fixture(scope="module")
def straight_only():
    with Served() as served:
        yield Sharing(served)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_interleaved_clients_are_told_the_same_as_alone(sharing, protocol):
    if not has_endpoint():
        pytest.skip(NO_ENDPOINT)
    clients = sharing.run(sharing.served.endpoint, corpus_names(), protocol)
    agree(sharing.complaints(clients, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", corpus_names())
def test_a_client_alone_is_told_the_same_as_straight(sharing, name, protocol):
    if not has_endpoint():
        pytest.skip(NO_ENDPOINT)
    clients = sharing.run(sharing.served.endpoint, [name], protocol)
    agree(sharing.complaints(clients, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_corpus_says_little_that_varies_and_does_not_depend_on_other_clients(straight_only, protocol):
    """The yardstick itself: what is left out must be little, and clients that share nothing must not disturb each other."""
    for name in corpus_names():
        answers = straight_only.alone(name, protocol)
        fields = sum(len(fields_of(found)) for messages, _ in answers for found in messages)
        assert sum(len(places) for _, varying in answers for places in varying) < fields * 0.1, name
    clients = straight_only.run(straight_only.served.straight, corpus_names(), protocol)
    agree(straight_only.complaints(clients, protocol))
