"""Texts in an encoding whose letters may hold ASCII bytes, a quote or a backslash among them, cannot be read by the endpoint."""
import pytest
from endpoint import served_for

served = served_for()

ENCODINGS = [("UTF8", False), ("LATIN1", False), ("SJIS", True), ("BIG5", True)]


def is_pinned(served):
    return ["unproven" in row["pins"].split(", ") for row in served.console("SHOW PINS")] == [True]


@pytest.mark.parametrize("encoding, pins", ENCODINGS)
def test_one_that_is_set_pins_if_it_cannot_be_read(served, encoding, pins):
    with served.endpoint.connect() as client:
        client.execute(f"SET client_encoding TO '{encoding}'")
        client.execute("SELECT 1 AS readable")
        assert is_pinned(served) == pins


@pytest.mark.parametrize("encoding, pins", ENCODINGS)
def test_one_that_a_session_begins_with_pins_if_it_cannot_be_read(served, encoding, pins):
    with served.endpoint.connect(client_encoding=encoding) as client:
        client.execute("SELECT 1 AS readable")
        assert is_pinned(served) == pins
