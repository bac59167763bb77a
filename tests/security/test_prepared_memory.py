"""What a client's prepared statements may hold is bounded, and is told; others go on meanwhile."""
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Proxy
from wire_client import WireClient


def held(proxy):
    rows = proxy.place.at(dbname="pgtandem").sql("SHOW MEM", prepare_threshold=None)
    return sum(int(row[-2]) for row in rows if "prepared_statements" in map(str, row))


@pytest.fixture(scope="module")
def proxy():
    with Served() as served, Proxy(served, threads=1) as proxy:
        yield proxy


def test_the_prepared_statements_of_a_client_have_a_bound(proxy):
    with WireClient(proxy.place).log_in() as client, WireClient(proxy.place).log_in() as other:
        refused = 0
        for number in range(100):
            text = f"SELECT {number} /* {'x' * 900_000} */"
            client.send(wire.parse(text, f"s{number}") + wire.sync())
            refused += any(message.kind == "E" and b"C53400\0" in message.body for message in client.until("Z"))
        assert 20 < refused < 40, "64 MB of 90 MB fit"
        assert other.value("SELECT 1") == "1"
        assert 50 << 20 < held(proxy) < 100 << 20
        # What is known is still run, and what is given up makes room.
        client.send(wire.bind(statement="s0") + wire.execute() + wire.sync())
        assert [message.kind for message in client.until("Z")] == ["2", "D", "C", "Z"]
        client.send(b"".join(wire.close("S", f"s{number}") for number in range(50)) + wire.sync())
        client.until("Z")
        client.send(wire.parse(f"SELECT 7 /* {'y' * 900_000} */", "again") + wire.sync())
        assert [message.kind for message in client.until("Z")] == ["1", "Z"]


def test_what_the_endpoint_answers_itself_is_not_kept_while_it_comes(proxy):
    """A Bind and a FunctionCall of 100 MB: the process holds hardly more than before."""
    def resident():
        return int(next(line.split()[1] for line in open(f"/proc/{proxy.process.pid}/status") if line.startswith("VmRSS")))
    with WireClient(proxy.place).log_in() as client:
        client.send(wire.parse("SHOW pgtandem.consistency", "own") + wire.sync())
        client.until("Z")
        before = resident()
        piece = b"\0" * (1 << 20)
        for kind, head in (("B", b"\0own\0"), ("F", (1299).to_bytes(4, "big"))):
            client.send(kind.encode() + (4 + len(head) + 100 * len(piece)).to_bytes(4, "big") + head)
            for _ in range(90):
                client.send(piece)
            assert resident() - before < 30_000, "kilobytes"
            for _ in range(10):
                client.send(piece)
        client.send(wire.sync())
        assert "Z" in [message.kind for message in client.until("Z")]
