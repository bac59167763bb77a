"""Fixtures for the tests that run our program and real PostgreSQL servers."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from endpoint import endpoint, place  # noqa: E402, F401
from tandem import Tandem  # noqa: E402


@pytest.fixture
def tandem():
    """A folder for one cluster on free ports; whatever runs in it at the end of the test is ended and removed."""
    with Tandem() as made:
        yield made


@pytest.fixture
def pair(tandem):
    """A running primary and one replica."""
    tandem.up("--replicas", "1")
    return tandem
