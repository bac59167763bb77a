"""What no driver sends: broken, giant, misplaced and half messages. The endpoint answers as the server itself, and goes on serving."""
import random
import re
import struct

import pytest
import wire_messages as wire
from endpoint import served_for
from wire_client import Closed, WireClient

served = served_for(pool_size=4)


def startup_of(client, **more):
    return wire.startup({"user": client.place.user, "database": client.place.dbname, **more})


def padded_startup(client, length):
    """A valid startup message of exactly so many bytes."""
    shortest = len(startup_of(client, application_name=""))
    return startup_of(client, application_name="x" * (length - shortest))


def begin_scram(client):
    client.begin()
    client.expect_authentication(10)


def half_scram(client):
    begin_scram(client)
    client.send(client.sasl_initial_response())
    client.expect_authentication(11)


def nothing(_):
    """Right after the connection is made."""


def logged_in(client):
    client.log_in()


def in_copy(client):
    client.log_in().query("CREATE TEMP TABLE lines (t text)")
    client.send(wire.query("COPY lines FROM STDIN"))
    client.until("G")


def ssl(code=wire.SSL_REQUEST):
    return wire.untyped(code)


def sasl(mechanism, response):
    return wire.message("p", mechanism + b"\0" + struct.pack("!i", len(response)) + response)


# name: (what comes before, what is sent then); the connection's whole answer must be that of the server.
ODD = {
    "a startup of length 0": (nothing, lambda c: struct.pack("!i", 0)),
    "a startup of length 3": (nothing, lambda c: struct.pack("!i", 3)),
    "a startup of length 7": (nothing, lambda c: struct.pack("!i", 7) + b"abc"),
    "a startup of negative length": (nothing, lambda c: struct.pack("!ii", -1, wire.PROTOCOL_3_0)),
    "a startup of two gigabytes": (nothing, lambda c: struct.pack("!ii", 0x7FFFFFFF, wire.PROTOCOL_3_0)),
    "a startup of 10001 bytes": (nothing, lambda c: padded_startup(c, 10001)),
    "a startup of 20000 bytes": (nothing, lambda c: padded_startup(c, 20000)),
    "a startup of 9999 bytes": (nothing, lambda c: padded_startup(c, 9999)),
    "protocol 4.0": (nothing, lambda c: wire.startup({"user": c.place.user}, 4 << 16)),
    "a startup without a user": (nothing, lambda c: wire.startup({"database": "postgres"})),
    "a startup without its end": (nothing, lambda c: wire.untyped(wire.PROTOCOL_3_0, b"user\0somebody\0")),
    "a startup with a name alone": (nothing, lambda c: wire.untyped(wire.PROTOCOL_3_0, b"user\0somebody\0database\0\0")),
    "a startup with bytes behind its end": (nothing, lambda c: wire.untyped(wire.PROTOCOL_3_0, b"user\0x\0\0more\0")),
    "a protocol option nobody knows": (nothing, lambda c: startup_of(c, **{"_pq_.nonsense": "1"})),
    "an HTTP request": (nothing, lambda c: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a query before the startup": (nothing, lambda c: wire.query("SELECT 1")),
    "a startup behind an SSLRequest": (nothing, lambda c: ssl() + startup_of(c)),
    "a second startup before the password": (begin_scram, lambda c: startup_of(c)),
    "a second startup within SCRAM": (half_scram, lambda c: startup_of(c)),
    "a query before the password": (begin_scram, lambda c: wire.query("SELECT 1")),
    "a query within SCRAM": (half_scram, lambda c: wire.query("SELECT 1")),
    "a SASL mechanism nobody knows": (begin_scram, lambda c: sasl(b"PLAIN", b"x")),
    "channel binding without TLS": (begin_scram, lambda c: sasl(b"SCRAM-SHA-256-PLUS", b"p=tls-server-end-point,,n=,r=abc")),
    "SASL without its response": (begin_scram, lambda c: wire.message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", -1))),
    "SASL with a length that lies": (begin_scram, lambda c: wire.message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 999) + b"x")),
    "SASL with garbage": (begin_scram, lambda c: sasl(b"SCRAM-SHA-256", b"\xff\x00garbage")),
    "SCRAM with an authorization name": (begin_scram, lambda c: sasl(b"SCRAM-SHA-256", b"n,a=other,n=,r=abcdef")),
    "SCRAM with a mandatory extension": (begin_scram, lambda c: sasl(b"SCRAM-SHA-256", b"n,,m=x,n=,r=abcdef")),
    "SCRAM with an empty nonce": (begin_scram, lambda c: sasl(b"SCRAM-SHA-256", b"n,,n=,r=")),
    "a final SCRAM message of garbage": (half_scram, lambda c: wire.message("p", b"garbage")),
    "a final SCRAM message with another nonce": (half_scram, lambda c: wire.message("p", b"c=biws,r=another,p=" + b"A" * 43 + b"=")),
    "a final SCRAM message with a short proof": (
        half_scram, lambda c: wire.message("p", f"c=biws,r={c.scram.nonce},p=AAAA".encode())),
    "an empty password message": (begin_scram, lambda c: wire.message("p", b"")),
    "a password message of a megabyte": (begin_scram, lambda c: wire.message("p", b"x" * (1 << 20))),
    "a message of a type nobody knows": (logged_in, lambda c: wire.message("!", b"x")),
    "a message of length 3": (logged_in, lambda c: b"Q" + struct.pack("!i", 3)),
    "a message of length 0": (logged_in, lambda c: b"S" + struct.pack("!i", 0)),
    "a message of negative length": (logged_in, lambda c: b"Q" + struct.pack("!i", -5)),
    "a query of two gigabytes": (logged_in, lambda c: b"Q" + struct.pack("!i", 0x7FFFFFFF)),
    "a Sync of 20000 bytes": (logged_in, lambda c: wire.message("S", b"x" * 20000)),
    "a query without its end": (logged_in, lambda c: wire.message("Q", b"SELECT 1")),
    "a query with bytes behind its end": (logged_in, lambda c: wire.message("Q", b"SELECT 1\0SELECT 2\0")),
    "an empty message of a query": (logged_in, lambda c: wire.message("Q")),
    "a password after the login": (logged_in, lambda c: wire.message("p", b"secret\0")),
    "a startup after the login": (logged_in, lambda c: startup_of(c)),
    "a Bind of nothing": (logged_in, lambda c: wire.bind(statement="never parsed") + wire.sync()),
    "a Bind that is cut": (logged_in, lambda c: wire.parse("SELECT 1") + wire.message("B", b"\0\0") + wire.sync()),
    "a Bind that lies": (logged_in, lambda c: wire.parse("SELECT 1") + wire.message("B", b"\0\0" + struct.pack("!hh", 0, 30000))
                         + wire.sync()),
    "a Parse that lies": (logged_in, lambda c: wire.message("P", b"\0SELECT 1\0" + struct.pack("!h", 99)) + wire.sync()),
    "an Execute of nothing": (logged_in, lambda c: wire.execute("no portal") + wire.sync()),
    "a Describe of a strange kind": (logged_in, lambda c: wire.describe("X") + wire.sync()),
    "a Describe of nothing": (logged_in, lambda c: wire.describe("S", "nothing") + wire.describe("P", "nothing") + wire.sync()),
    "a Close of a strange kind": (logged_in, lambda c: wire.close("X") + wire.sync()),
    "a Close of nothing": (logged_in, lambda c: wire.close("S", "nothing") + wire.close("P", "nothing") + wire.sync()),
    "a call of a function that is not there": (logged_in, lambda c: wire.function_call(99999999, [])),
    "a call of a function": (logged_in, lambda c: wire.function_call(2308, [struct.pack("!d", -2.5)])),
    "a call of a function that lies": (logged_in, lambda c: wire.message("F", struct.pack("!ihh", 2308, 0, 30000))),
    "COPY data outside of a COPY": (logged_in, lambda c: wire.copy_data(b"1\n") + wire.copy_done() + wire.copy_fail("x")
                                    + wire.query("SELECT 1")),
    "many Syncs": (logged_in, lambda c: wire.sync() * 300),
    "an error amid a pipeline": (logged_in, lambda c: b"".join(
        wire.parse(sql) + wire.bind() + wire.execute() for sql in ("SELECT 1", "SELECT 1/0", "SELECT 2")) + wire.sync()
        + wire.query("SELECT 3")),
    "a query within an extended batch": (logged_in, lambda c: wire.parse("SELECT 1") + wire.query("SELECT 2") + wire.bind()
                                         + wire.execute() + wire.sync()),
    "a Flush and then nothing": (logged_in, lambda c: wire.parse("SELECT 1", "s") + wire.describe("S", "s") + wire.flush()),
    "a query within a COPY": (in_copy, lambda c: wire.query("SELECT 1")),
    "a Sync and a Flush within a COPY": (in_copy, lambda c: wire.copy_data(b"a\n") + wire.sync() + wire.flush()
                                         + wire.copy_data(b"b\n") + wire.copy_done()),
    "an unknown message within a COPY": (in_copy, lambda c: wire.message("!", b"x")),
    "a COPY ended twice": (in_copy, lambda c: wire.copy_data(b"a\n") + wire.copy_done() * 2 + wire.query("SELECT 1")),
    "a Terminate within a COPY": (in_copy, lambda c: wire.copy_data(b"a\n") + wire.terminate()),
    "a Terminate with messages behind it": (logged_in, lambda c: wire.terminate() + wire.query("SELECT 1")),
}


def simple(found):
    """A message without what differs from login to login."""
    if found.kind in "EN":
        fields = wire.error_fields(found.body)
        # The newest protocol version differs from server to server.
        return found.kind, fields["S"], fields["C"], re.sub(r"3\.0 to 3\.\d+", "3.0 to 3.x", fields["M"])
    if found.kind in "KR":
        return found.kind, found.body[:4] if found.kind == "R" else len(found.body)
    return tuple(found)


def outcome(place, before, bytes_of):
    """All that comes back once no more is sent: bytes that are no messages, the messages, and how it ends."""
    with WireClient(place) as client:
        before(client)
        client.transcript.clear()
        try:
            client.send(bytes_of(client))
            client.socket.shutdown(1)
        except (Closed, OSError):
            pass
        answers = []
        if before is nothing and bytes_of(client)[4:8] == ssl()[4:8]:
            answers.append(client.read(1))
        answers += map(simple, client.until_closed())
        return answers


@pytest.mark.parametrize("name", ODD)
def test_an_odd_message_is_answered_as_by_the_server(served, endpoint, name):
    wanted = outcome(served.straight, *ODD[name])
    assert outcome(endpoint, *ODD[name]) == wanted
    assert endpoint.value("SELECT 1") == 1


def test_gss_encryption_is_refused_and_nothing_is_read_behind_the_request(endpoint):
    """A server that was built with it may accept; the endpoint never does."""
    with WireClient(endpoint) as client:
        client.send(ssl(wire.GSSENC_REQUEST))
        assert client.read(1) == b"N"
        assert client.log_in().value("SELECT 1") == "1"
    with WireClient(endpoint) as client:
        client.send(ssl(wire.GSSENC_REQUEST) + startup_of(client))
        assert client.read(1) == b"N"
        assert [simple(found)[2] for found in client.until_closed()] == ["08P01"]


def test_a_version_before_the_third_is_refused(endpoint):
    """The server's own answer is one of that version."""
    with WireClient(endpoint) as client:
        client.send(wire.startup({"user": "postgres"}, 2 << 16))
        assert [simple(found)[:3] for found in client.until_closed()] == [("E", "FATAL", "0A000")]


@pytest.mark.long
@pytest.mark.parametrize("name", ODD)
def test_the_server_itself_answers_an_odd_message_the_same_each_time(served, name):
    """The yardstick: what the test above compares with must not vary."""
    assert outcome(served.straight, *ODD[name]) == outcome(served.straight, *ODD[name])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("before", [nothing, begin_scram, half_scram, logged_in, in_copy])
def test_garbage_ends_one_session_at_most(served, place, before, seed):
    garbage = random.Random(seed).randbytes(random.Random(seed).choice([1, 5, 100, 5000]))
    up = served.tandem.up_process()
    with WireClient(place).log_in() as other, WireClient(place) as client:
        before(client)
        try:
            client.send(garbage)
            client.socket.shutdown(1)
            client.until_closed()
        except (Closed, OSError, AssertionError):
            pass
        assert other.value("SELECT 'served'") == "served"
    assert served.tandem.up_process() == up
    assert place.value("SELECT 1") == 1


@pytest.mark.parametrize("at", range(1, 100, 14))
def test_a_startup_that_arrives_in_two_parts_is_one(place, at):
    with WireClient(place) as client:
        whole = padded_startup(client, 100)
        client.send(whole[:at])
        assert client.try_receive(0.01) is None
        client.send(whole[at:])
        assert client.authenticate().value("SELECT 1") == "1"


def test_a_conversation_byte_by_byte_is_answered(place):
    with WireClient(place).log_in() as client:
        for byte in wire.parse("SELECT $1::int", "s") + wire.bind([b"42"], "s") + wire.execute() + wire.sync():
            client.send(bytes([byte]))
        kinds = [found.kind for found in client.until("Z")]
        assert kinds == ["1", "2", "D", "C", "Z"]
