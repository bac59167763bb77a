"""The frontend's messages of protocol 3.0 as bytes (manual, chapter "Message Formats"), and the splitting of what a backend sends."""
import struct
from typing import NamedTuple

PROTOCOL_3_0 = 3 << 16
PROTOCOL_3_2 = 3 << 16 | 2
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104
CANCEL_REQUEST = 80877102


class Message(NamedTuple):
    """One message of the backend, as it came: its type byte and what follows the length."""
    kind: str
    body: bytes


def text(value):
    return (value if isinstance(value, bytes) else value.encode()) + b"\0"


def message(kind, body=b""):
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def untyped(code, body=b""):
    """The messages of the beginning have no type byte."""
    return struct.pack("!ii", len(body) + 8, code) + body


def startup(parameters, version=PROTOCOL_3_0):
    return untyped(version, b"".join(text(name) + text(value) for name, value in parameters.items()) + b"\0")


def cancel_request(pid, key):
    return untyped(CANCEL_REQUEST, struct.pack("!i", pid) + key)


def query(sql):
    return message("Q", text(sql))


def parse(sql, name="", types=()):
    return message("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def counted(value):
    return struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value


def bind(values=(), statement="", portal="", is_binary=False):
    """Parameters as text; all results as text, or all as binary."""
    parameters = b"".join(counted(value) for value in values)
    return message("B", text(portal) + text(statement) + struct.pack("!hh", 0, len(values)) + parameters
                   + struct.pack("!hh", 1, is_binary))


def describe(kind, name=""):
    return message("D", kind.encode() + text(name))


def execute(portal="", rows_max=0):
    return message("E", text(portal) + struct.pack("!i", rows_max))


def close(kind, name=""):
    return message("C", kind.encode() + text(name))


def sync():
    return message("S")


def flush():
    return message("H")


def terminate():
    return message("X")


def copy_data(data):
    return message("d", data)


def copy_done():
    return message("c")


def copy_fail(reason):
    return message("f", text(reason))


def function_call(function, arguments):
    """Arguments and result as binary."""
    return message("F", struct.pack("!ihhh", function, 1, 1, len(arguments)) + b"".join(map(counted, arguments))
                   + struct.pack("!h", 1))


def take_message(buffer):
    """The first message of a bytearray, taken out of it; None where it is not whole."""
    if len(buffer) < 5:
        return None
    length, = struct.unpack_from("!i", buffer, 1)
    assert length >= 4, f"a message of length {length}: {bytes(buffer[:40])}"
    if len(buffer) < 1 + length:
        return None
    whole = Message(chr(buffer[0]), bytes(buffer[5:1 + length]))
    del buffer[:1 + length]
    return whole


def error_fields(body):
    """An ErrorResponse's or NoticeResponse's fields by their letter."""
    return {chr(part[0]): part[1:].decode() for part in body.split(b"\0") if part}
