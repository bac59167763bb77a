"""One client that goes through a corpus unit by unit, and several of them interleaved in a fixed order."""
import time

import wire_messages as wire

from wire_client import PATIENCE, WireClient

TURN_SECONDS = 0.05  # how long a turn waits for an answer before the next client has its turn


class CorpusClient:
    """Unit after unit; a unit is over with its ReadyForQuery. 'answers' has for each, and first for the login, its messages."""

    def __init__(self, place, name, units, protocol):
        self.name = name
        self.wire = WireClient(place).log_in(application_name=name)
        self.protocol = protocol
        self.waiting = [*self.preparation(), *units]
        self.unit = None
        self.answers = [("the login", list(self.wire.transcript))]

    def preparation(self):
        """Each client has a schema of its own. By SET: other startup parameters would keep the client from sharing."""
        from corpus_file import Unit
        return [Unit(f"CREATE SCHEMA {self.name}"), Unit(f"SET search_path TO {self.name}")]

    @property
    def is_busy(self):
        return self.unit is not None

    @property
    def is_done(self):
        return not self.is_busy and not self.waiting

    def begin_next(self):
        self.unit = self.waiting.pop(0)
        self.answers.append((self.unit.text or self.unit.name, []))
        if self.protocol == "simple":
            self.wire.send(wire.query(self.unit.text))
        else:
            self.wire.send(*self.extended(self.unit), wire.sync())

    def extended(self, unit):
        if not unit.is_parsed_before:
            yield wire.parse(unit.text, unit.name)
            yield wire.describe("S", unit.name)
        yield wire.bind(unit.binds, unit.name, unit.portal, unit.is_binary)
        yield wire.describe("P", unit.portal)
        yield wire.execute(unit.portal, unit.rows)
        if unit.rows:
            yield from [wire.execute(unit.portal, unit.rows)] * 3

    def go_on(self, seconds):
        """Takes what comes within so many seconds; true where anything came."""
        deadline = time.monotonic() + seconds
        came = False
        while self.is_busy and (found := self.wire.try_receive(deadline - time.monotonic())):
            came = True
            self.answers[-1][1].append(found)
            if found.kind == "G":
                self.send_copy_data()
            if found.kind == "Z":
                self.unit = None
        return came

    def send_copy_data(self):
        end = wire.copy_fail(self.unit.fail) if self.unit.fail else wire.copy_done()
        # The Sync that came along is ignored during COPY, so there must be one more.
        after = [wire.sync()] if self.protocol == "extended" else []
        self.wire.send(*map(wire.copy_data, self.unit.copy), end, *after)


def interleave(clients):
    """A unit of each client in turn. A client that waits, say for a backend that others hold, does not hold up the rest."""
    silent_since = time.monotonic()
    while not all(client.is_done for client in clients):
        for client in clients:
            waits_already = client.is_busy
            if not waits_already and client.waiting:
                client.begin_next()
            if client.is_busy and client.go_on(0 if waits_already else TURN_SECONDS):
                silent_since = time.monotonic()
        for client in [client for client in clients if client.is_done and client.wire.socket]:
            client.wire.terminate()
        stuck = {client.name: client.unit.text for client in clients if client.is_busy}
        assert time.monotonic() - silent_since < PATIENCE, f"all wait in vain: {stuck}"
    return clients
