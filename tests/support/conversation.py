"""Conversations of several clients as data: played straight against the server, then through the endpoint, and compared.

A step is what a client sends in one packet, or how it leaves. Straight, a step ends when the server owes no ReadyForQuery, or is quiet;
through the endpoint, when as much has come as straight. At the end each client that is still there ends its own side, and reads until the
other side has closed: so both runs hold all that was ever answered.
"""
import re
import socket
import time
from typing import NamedTuple

import wire_messages as wire
from wire_client import Closed, WireClient

DEADLINE = 5  # seconds; what the server answers at once has not come by then: it hangs
QUIET = 0.05
OWES_READY = b"SQF"  # a ReadyForQuery each, outside of a COPY and of what is skipped after an error
HANGS = ("hangs",)
# Where in PostgreSQL's source an error was raised: a statement that is prepared anew is refused at another place.
SOURCE_PLACE = "FLR"
A_TIME = b"\0\0\0\x08\0\3"  # how now() by FunctionCall begins in these years


class Step(NamedTuple):
    who: int
    data: bytes = b""
    leaves: str = ""
    parts: tuple = ()  # where the packet is cut
    pause: float = 0


def say(who, *messages, **more):
    return Step(who, b"".join(messages), **more)


def says(who, *messages):
    """Each message in a packet of its own, and its answer awaited."""
    return [Step(who, message) for message in messages]


def gone(who, how="close"):
    return Step(who, leaves=how)


def row_description(body):
    """Without the tables' OIDs, which are others in each run."""
    fields, at = [], 2
    while at < len(body):
        end = body.index(b"\0", at)
        fields.append((body[at:end].decode("latin-1"), body[end + 1:end + 5] != bytes(4), *body[end + 5:end + 19]))
        at = end + 19
    return tuple(fields)


def plain_text(value):
    return re.sub(r"\bPID \d+|process \d+", "process N", value)


def plain(found):
    """A message without what differs between two runs straight."""
    if found.kind in "EN":
        fields = wire.error_fields(found.body)
        return found.kind, tuple((name, plain_text(value)) for name, value in fields.items() if name not in SOURCE_PLACE)
    if found.kind == "T":
        return found.kind, row_description(found.body)
    if found.kind == "A":
        return found.kind, found.body[4:]
    if found.kind == "V" and found.body.startswith(A_TIME):
        return found.kind, A_TIME
    return found.kind, found.body


def ordered(messages):
    """Reports of settings come in another order where a backend is shared."""
    found, reports = [], []
    for one in [*messages, None]:
        if one and one[0] == "S":
            reports.append(one)
            continue
        found += sorted(reports) + ([one] if one else [])
        reports = []
    return found


def owed(data):
    """How many ReadyForQuery these bytes ask for, where nothing is odd about them."""
    count = at = 0
    while at + 5 <= len(data):
        count += data[at] in OWES_READY
        at += 1 + max(int.from_bytes(data[at + 1:at + 5], "big"), 4)
    return count


class Impatient(WireClient):
    """Waits no longer than a conversation's deadline, also while it logs in."""
    patience = DEADLINE

    def receive(self):
        found = self.try_receive(self.patience)
        assert found, f"waited {self.patience} s in vain for a message; so far: {self.transcript[-5:]}"
        return found


class Speaker:
    """One client of a conversation, and all that it has been told."""

    def __init__(self, place, **parameters):
        self.ready = self.asked = 0
        self.is_open = True
        self.hangs = False
        self.client = Impatient(place)
        try:
            self.client.log_in(**parameters)
            self.client.transcript.clear()
        except (AssertionError, Closed):
            self.hangs = True

    def heard(self):
        return len(self.client.transcript)

    def listen(self, seconds):
        """Whether a message came."""
        if not self.is_open:
            return False
        try:
            found = self.client.try_receive(seconds)
        except Closed:
            self.is_open = False
            return False
        self.ready += bool(found and found.kind == "Z")
        return found is not None

    def send(self, step):
        cuts = [0, *step.parts, len(step.data)]
        self.asked += owed(step.data)
        try:
            for start, end in zip(cuts, cuts[1:]):
                self.client.send(step.data[start:end])
                if step.pause and end < len(step.data):
                    time.sleep(step.pause)
        except Closed:
            self.is_open = False

    def settle(self, data, quiet):
        """Straight: until nothing more is to come."""
        is_flushed = b"H\0\0\0\4" in data
        while self.listen(quiet if is_flushed or self.ready < self.asked else 0):
            pass
        self.asked = self.ready

    def hear(self, count, ready, deadline):
        """Through the endpoint: until as much has come as straight, or as often ReadyForQuery."""
        end = time.monotonic() + deadline
        is_owed = ready > self.ready
        while self.heard() < count and self.is_open and not (is_owed and self.ready >= ready):
            if not self.listen(max(end - time.monotonic(), 0)) and self.is_open:
                self.hangs = True
                return

    def leave(self, how):
        if not self.client.socket:
            return
        if how in ("terminate", "end"):
            self.send(Step(0, wire.terminate()))
        if how == "reset":
            self.client.reset()
        elif how in ("half", "end"):
            self.finish()
        else:
            self.client.close()
        self.is_open = False

    def finish(self, deadline=DEADLINE):
        """Ends its own side and hears all that is still to come."""
        if not self.client.socket:
            return
        try:
            self.client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        end = time.monotonic() + deadline
        while self.is_open and time.monotonic() < end:
            self.listen(max(end - time.monotonic(), 0))
        self.hangs |= self.is_open
        self.client.close()
        self.is_open = False

    def told(self):
        return ordered(map(plain, self.client.transcript)) + [HANGS] * self.hangs


class Played(NamedTuple):
    told: list    # of each client
    counts: list  # after each step, the messages and the ReadyForQuery among them that its client had had


def play(place, steps, counts=None, deadline=DEADLINE, parameters=None, quiet=QUIET):
    """Straight without counts, through the endpoint with those of straight."""
    speakers = {}
    seen = []
    for number, step in enumerate(steps):
        if step.who not in speakers:
            speakers[step.who] = Speaker(place, **(parameters or {}))
        speaker = speakers[step.who]
        if step.data and speaker.is_open:
            speaker.send(step)
        if step.leaves:
            speaker.leave(step.leaves)
        elif counts is None:
            speaker.settle(step.data, quiet)
        else:
            speaker.hear(*counts[number], deadline)
        seen.append((speaker.heard(), speaker.ready))
        if speaker.hangs:
            break
    for speaker in speakers.values():
        speaker.finish(deadline)
    return Played([speakers[who].told() for who in sorted(speakers)], seen)


def leaves_early(steps):
    """Who goes without hearing the end is told more or less of it by chance."""
    return {step.who for step in steps if step.leaves in ("close", "reset", "terminate")}


def parted(told):
    """What is told up to the last ReadyForQuery, and after it."""
    end = max((at + 1 for at, one in enumerate(told) if one[0] == "Z"), default=0)
    return told[:end], told[end:]


def is_told_the_same(left, right):
    """What no Sync has asked for, a client that goes may be told in part: the server, too, keeps it back and may lose it."""
    (left, kept), (right, sent) = parted(left), parted(right)
    shorter = min(len(kept), len(sent))
    return left == right and kept[:shorter] == sent[:shorter] and HANGS not in sent


def differences(steps, wanted, seen):
    """What each client was told otherwise, as lines."""
    early = leaves_early(steps)
    for who, (left, right) in enumerate(zip(wanted.told, seen.told)):
        if who in early and HANGS not in right:
            shorter = min(len(left), len(right))
            left, right = left[:shorter], right[:shorter]
        if not is_told_the_same(left, right):
            at = next((at for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), min(len(left), len(right)))
            yield f"client {who}, message {at}: straight {left[at:at + 3]}\n   but {right[at:at + 3]}"


def error_codes(told):
    return [dict(one[1])["C"] for one in told if one[0] == "E"]
