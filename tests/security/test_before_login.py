"""What a peer may send before it has logged in has an end, in bytes and in time; and what it has sent costs little memory."""
import contextlib
import os
import socket
import ssl
import struct
import time
from pathlib import Path

from many_descriptors import many_descriptors
import pytest
import wire_messages as wire
from endpoint import Served
from proxy import Certificate, Proxy
from tandem import BUILT, wait_for
from wire_client import Closed, WireClient

MEGABYTE = 1 << 20
HANDSHAKE, ALERT, CHANGE_CIPHER_SPEC = 22, 21, 20


@pytest.fixture(scope="module", autouse=True)
def descriptors_for_the_attacker():
    with many_descriptors():
        yield


@pytest.fixture(scope="module")
def served():
    with Served(replicas=0) as made:
        yield made


@pytest.fixture(scope="module")
def proxy(served):
    certificate = Certificate(served.tandem.parent, "server")
    with Proxy(served, tls_certificate=str(certificate.file), tls_key=str(certificate.key), threads=1) as made:
        yield made


def client_hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


def record(kind, body):
    return struct.pack("!BHH", kind, 0x0303, len(body)) + body


def handshake_of(length):
    """The beginning of a ClientHello that is to be so long."""
    return b"\x01" + length.to_bytes(3, "big")


# What is sent first, and what again and again behind it.
ENDLESS = {
    "startup packet": (b"", b"\x00\x00\x27\x10" + b"x" * 9996),
    "request for TLS": (wire.untyped(wire.SSL_REQUEST), wire.untyped(wire.SSL_REQUEST)),
    "request for GSS": (b"", wire.untyped(wire.GSSENC_REQUEST)),
    "records of no bytes": (wire.untyped(wire.SSL_REQUEST), record(HANDSHAKE, b"")),
    "changes of the cipher": (wire.untyped(wire.SSL_REQUEST), record(CHANGE_CIPHER_SPEC, b"\x01")),
    "changes of the cipher behind a hello": (wire.untyped(wire.SSL_REQUEST) + b"HELLO", record(CHANGE_CIPHER_SPEC, b"\x01")),
    "warnings": (wire.untyped(wire.SSL_REQUEST), record(ALERT, b"\x01\x5a")),
    "a hello that has no end": (wire.untyped(wire.SSL_REQUEST) + record(HANDSHAKE, handshake_of((1 << 24) - 1) + b"x" * 1000), record(HANDSHAKE, b"x" * 16384)),
    "a long hello": (wire.untyped(wire.SSL_REQUEST) + record(HANDSHAKE, handshake_of(100_000) + b"x" * 1000), record(HANDSHAKE, b"x" * 16384)),
    "a direct hello that has no end": (record(HANDSHAKE, handshake_of((1 << 24) - 1) + b"x" * 1000), record(HANDSHAKE, b"x" * 16384)),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_beginning_has_an_end(proxy, kind):
    first, more = ENDLESS[kind]
    taken = 0
    began = time.monotonic()
    with socket.create_connection((proxy.place.host, proxy.port), 10) as peer:
        ssl_request = wire.untyped(wire.SSL_REQUEST)
        if first.startswith(ssl_request):
            peer.sendall(ssl_request)
            assert peer.recv(1) == b"S"
            first = first[len(ssl_request):].replace(b"HELLO", client_hello())
        peer.sendall(first)
        with contextlib.suppress(ConnectionError):
            while taken < 2 * MEGABYTE:
                peer.sendall(more)
                taken += len(more)
            while peer.recv(65536):
                pass
    # Within what the kernel's own buffers hold, and at once.
    assert time.monotonic() - began < 5
    assert proxy.place.value("SELECT 1") == 1


@pytest.mark.parametrize("length", [-1, 0, 3, 4, 7, 10_005, MEGABYTE, (1 << 31) - 1])
def test_a_first_packet_says_a_length_that_may_be(proxy, length):
    with socket.create_connection((proxy.place.host, proxy.port), 10) as peer:
        peer.sendall(struct.pack("!i", length) + b"\0\0\0\0\0\0\0\0")
        while said := peer.recv(65536):
            assert said.startswith(b"E")


def asked_for_a_proof(proxy):
    client = WireClient(proxy.place)
    client.begin(user=proxy.place.user, database=proxy.place.dbname)
    assert client.receive().kind == "R"
    return client


@pytest.mark.parametrize("length", [3, 1025, 65536, MEGABYTE, 1 << 30, (1 << 31) - 1])
def test_a_proof_is_no_longer_than_one_can_be(proxy, length):
    with asked_for_a_proof(proxy) as client:
        client.socket.sendall(b"p" + struct.pack("!i", length) + b"x" * 100)
        with pytest.raises((Closed, OSError)):
            while client.receive():
                pass


def test_proofs_have_an_end(proxy):
    """An initial response without its data is asked for them once."""
    with asked_for_a_proof(proxy) as client:
        client.send(wire.message("p", b"SCRAM-SHA-256\0\xff\xff\xff\xff"))
        assert client.receive().kind == "R"
        with pytest.raises((Closed, OSError)):
            for _ in range(100):
                client.send(wire.message("p", b"SCRAM-SHA-256\0\xff\xff\xff\xff"))
                client.receive()


def resident(proxy):
    return int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def beginnings(proxy):
    user = wire.startup({"user": proxy.place.user, "database": proxy.place.dbname})
    return {
        "half a startup packet": [struct.pack("!i", 10_000) + b"\0\3\0\0" + b"x" * 9_900],
        "half a hello": [record(HANDSHAKE, handshake_of(16_300) + b"x" * 15_000)],
        "a megabyte behind a startup packet": [user, b"p" + struct.pack("!i", 1000) + b"x" * 900, b"p" * MEGABYTE],
        "a megabyte behind a hello": [client_hello(), record(CHANGE_CIPHER_SPEC, b"\x01") + record(23, b"x" * 16_000) * 64],
    }


@pytest.mark.parametrize("kind", ["half a startup packet", "half a hello", "a megabyte behind a startup packet", "a megabyte behind a hello"])
def test_what_was_sent_before_a_login_costs_little_memory(proxy, kind):
    count = 1000
    before = resident(proxy)
    with contextlib.ExitStack() as undo:
        peers = [undo.enter_context(socket.create_connection((proxy.place.host, proxy.port), 10, ("127.0.0.2", 0))) for _ in range(count)]
        for peer in peers:
            peer.setblocking(False)
            with contextlib.suppress(OSError):
                for part in beginnings(proxy)[kind]:
                    peer.send(part)
        # Another one is served meanwhile, and what they sent has been read by then.
        with WireClient(proxy.place).log_in() as client:
            assert client.value("SELECT 1") == "1"
        each = (resident(proxy) - before) / count
        print(f"{kind}: {each:.0f} bytes each")
        # The address sanitizer keeps what was freed, and a margin about each piece.
        assert each < (400_000 if "asan" in str(BUILT) else 80_000)
    wait_for(lambda: len(os.listdir(f"/proc/{proxy.process.pid}/fd")) < count, "them to be gone")


def test_half_handshakes_make_way_and_end_by_themselves(served):
    certificate = Certificate(served.tandem.parent, "other")
    with Proxy(served, open_files=600, threads=1, login_timeout_ms=3000, port=served.tandem.port + 7, tls_certificate=str(certificate.file),
               tls_key=str(certificate.key)) as proxy:
        peers = []
        with contextlib.ExitStack() as undo:
            for _ in range(500):
                with contextlib.suppress(OSError):
                    peers.append(undo.enter_context(socket.create_connection((proxy.place.host, proxy.port), 10, ("127.0.0.2", 0))))
                    peers[-1].sendall(record(HANDSHAKE, handshake_of(16_300) + b"x" * 1_000))
            for _ in range(10):
                assert proxy.place.value("SELECT 1", sslmode="require") == 1
            began = time.monotonic()
            for peer in peers:
                with contextlib.suppress(ConnectionError):
                    while peer.recv(4096):
                        pass
            assert time.monotonic() - began < 20
