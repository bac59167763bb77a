"""How a login ends: served, or refused with which words. The same question can be put to a server and to the endpoint before it."""
import hashlib
import struct
import threading

import wire_messages as wire
from tandem import wait_for
from wire_client import WireClient

SHOWN = "SVCMDH"  # severity, SQLSTATE, message, detail, hint


def md5_response(user, password, salt):
    inner = hashlib.md5((password + user).encode()).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt).hexdigest()


def answer(client, found, user):
    """What the server's authentication request wants, sent; a SCRAM dialogue to its end is several of them."""
    code, body = struct.unpack_from("!i", found.body)[0], found.body[4:]
    if code == 3:
        client.send(wire.message("p", wire.text(client.place.password)))
    elif code == 5:
        client.send(wire.message("p", wire.text(md5_response(user, client.place.password, body))))
    elif code == 10:
        client.send(client.sasl_initial_response())
    elif code == 11:
        client.send(wire.message("p", client.scram.final(body)))


def refusal(place, **parameters):
    """The fields of the error that ends a login; {} for one that is served."""
    with WireClient(place) as client:
        client.begin(**parameters)
        while (found := client.receive()).kind != "Z":
            if found.kind == "R":
                answer(client, found, parameters.get("user", place.user))
            if found.kind == "E":
                fields = wire.error_fields(found.body)
                assert client.until_closed() == []
                return {name: fields[name] for name in SHOWN if name in fields}
        assert client.value("SELECT session_user") == parameters.get("user", place.user)
        client.terminate()
        return {}


def is_served(place):
    return refusal(place) == {}


def in_threads(*works):
    """The results of several calls at the same time."""
    results = [None] * len(works)

    def run(number):
        results[number] = works[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class HbaFile:
    """A node's pg_hba.conf for the length of a test: lines before those that stand there."""

    def __init__(self, served):
        self.served = served
        self.path = served.tandem.data("node1") / "pg_hba.conf"
        self.before = self.path.read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.write_text(self.before)
        self.load()

    def write(self, *lines):
        self.path.write_text("\n".join([*lines, self.before]))

    def load(self):
        """Returns when a session has read the settings anew; the server has read pg_hba.conf when it lets somebody in after that."""
        with self.served.straight.connect() as session:
            loaded = session.execute("SELECT pg_conf_load_time()").fetchone()
            session.execute("SELECT pg_reload_conf()")
            wait_for(lambda: session.execute("SELECT pg_conf_load_time()").fetchone() != loaded, "the settings to be read")
