"""A client that speaks the protocol itself, records each of the backend's messages byte for byte, and may misbehave."""
import socket
import struct
import time

import wire_messages as wire
from tandem import PATIENCE
from wire_scram import Scram


class Closed(Exception):
    """The other side ended the connection."""


class WireClient:
    def __init__(self, place, source=None, connect=True):
        self.place = place
        self.source = source
        self.buffer = bytearray()
        self.transcript = []
        self.parameters = {}
        self.pid = self.key = None
        self.socket = None
        if connect:
            self.open()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self):
        self.socket = socket.create_connection((self.place.host, self.place.port), PATIENCE, self.source)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def close(self):
        """Without a Terminate: as a client that dies."""
        if self.socket:
            self.socket.close()
            self.socket = None

    def reset(self):
        """Closes so that the other side sees a connection reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def terminate(self):
        self.send(wire.terminate())
        assert self.is_closed_by_peer()
        self.close()

    # --- bytes

    def send(self, *messages):
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(b"".join(messages))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from None

    def fill(self, seconds):
        """Reads once what is there within so many seconds; whether there was anything."""
        self.socket.settimeout(max(seconds, 1e-6))
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):
            return False
        except ConnectionResetError:
            raise Closed("connection reset") from None
        if not data:
            raise Closed("end of file")
        self.buffer += data
        return True

    def read(self, count):
        """Bytes that are no message, such as the answer to SSLRequest."""
        deadline = time.monotonic() + PATIENCE
        while len(self.buffer) < count:
            assert self.fill(deadline - time.monotonic()), f"waited {PATIENCE} s in vain for {count} bytes"
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def try_receive(self, seconds):
        """The next message, or None where it does not come within so many seconds."""
        deadline = time.monotonic() + seconds
        while (found := wire.take_message(self.buffer)) is None:
            if not self.fill(deadline - time.monotonic()):
                return None
        self.note(found)
        return found

    def receive(self):
        found = self.try_receive(PATIENCE)
        assert found, f"waited {PATIENCE} s in vain for a message; so far: {self.transcript[-5:]}"
        return found

    def note(self, found):
        self.transcript.append(found)
        if found.kind == "K":
            self.pid, self.key = struct.unpack_from("!i", found.body)[0], found.body[4:]
        if found.kind == "S":
            name, value = found.body.split(b"\0")[:2]
            self.parameters[name.decode()] = value.decode()

    def until(self, *kinds):
        """All messages up to the first of these kinds."""
        found = [self.receive()]
        while found[-1].kind not in kinds:
            found.append(self.receive())
        return found

    def until_closed(self):
        """All messages up to the end of the connection."""
        found = []
        try:
            while True:
                found.append(self.receive())
        except Closed:
            return found

    def is_closed_by_peer(self):
        self.until_closed()
        return True

    # --- conversations

    def begin(self, **parameters):
        """Sends the startup message."""
        named = {"user": self.place.user, "database": self.place.dbname, **parameters}
        self.send(wire.startup({name: value for name, value in named.items() if value is not None}))

    def sasl_initial_response(self):
        self.scram = Scram(self.place.password)
        first = self.scram.first()
        return wire.message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)

    def authenticate(self):
        """SCRAM to its end; returns self, ready for a query. An ErrorResponse on the way ends in an assertion."""
        asked = self.expect_authentication(10)
        assert b"SCRAM-SHA-256\0" in asked
        self.send(self.sasl_initial_response())
        self.send(wire.message("p", self.scram.final(self.expect_authentication(11))))
        self.scram.check(self.expect_authentication(12))
        self.expect_authentication(0)
        self.until("Z")
        return self

    def expect_authentication(self, code):
        found = self.receive()
        assert found.kind == "R", describe(found)
        assert struct.unpack_from("!i", found.body)[0] == code, found
        return found.body[4:]

    def log_in(self, **parameters):
        self.begin(**parameters)
        return self.authenticate()

    def query(self, sql):
        """The answer to a simple query, to its ReadyForQuery."""
        self.send(wire.query(sql))
        return self.until("Z")

    def value(self, sql):
        return values(self.query(sql))[0][0]

    def cancel(self, pid=None, key=None):
        """Sends a CancelRequest over a connection of its own, and waits until it is closed, hence done."""
        with WireClient(self.place) as other:
            other.send(wire.cancel_request(self.pid if pid is None else pid, self.key if key is None else key))
            assert other.is_closed_by_peer()
            assert other.transcript == [] and not other.buffer, "a CancelRequest has no answer"


def describe(found):
    return wire.error_fields(found.body) if found.kind in "EN" else found


def errors(answer):
    """The SQLSTATEs of the ErrorResponses among messages."""
    return [wire.error_fields(found.body)["C"] for found in answer if found.kind == "E"]


def values(answer):
    """The rows among messages, as lists of text or None."""
    assert errors(answer) == [], [describe(found) for found in answer]
    rows = []
    for found in answer:
        if found.kind == "D":
            row, at = [], 2
            for _ in range(struct.unpack_from("!h", found.body)[0]):
                length, = struct.unpack_from("!i", found.body, at)
                at += 4
                row.append(None if length < 0 else found.body[at:at + length].decode())
                at += max(length, 0)
            rows.append(row)
    return rows


def state(answer):
    """The transaction status of the ReadyForQuery that ends messages: I, T or E."""
    assert answer[-1].kind == "Z"
    return answer[-1].body.decode()
