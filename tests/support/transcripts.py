"""Compares what a backend sent, message by message and field by field.

What differs between two runs straight against the server (OIDs, times, process ids, keys) says nothing about the endpoint, so
two such runs mark the fields to leave out; all other bytes must be the same.
"""
import itertools
import struct


def strings(body):
    return body.split(b"\0")


def error(body):
    """A statement that is prepared anew on a backend is refused in an aborted transaction by its Parse, straight by its Bind: the
    line of PostgreSQL's source is another one then."""
    fields = strings(body)
    return [part for part in fields if part[:1] not in b"LR"] if b"C25P02" in fields else fields


def row_description(body):
    fields, at = [], 2
    for _ in range(struct.unpack_from("!h", body)[0]):
        end = body.index(b"\0", at)
        fields += [body[at:end], *struct.unpack_from("!ihihih", body, end + 1)]
        at = end + 19
    return [*fields, body[at:]]


def data_row(body):
    fields, at = [body[:2]], 2
    while at < len(body):
        length, = struct.unpack_from("!i", body, at)
        fields.append(body[at:at + 4 + max(length, 0)])
        at += 4 + max(length, 0)
    return fields


def notification(body):
    return [body[:4], *strings(body[4:])]


def backend_key(body):
    return [body[:4], body[4:]]


def parameter_description(body):
    return [body[:2], *(body[at:at + 4] for at in range(2, len(body), 4))]


PARTS = {"T": row_description, "D": data_row, "E": error, "N": strings, "A": notification, "K": backend_key,
         "t": parameter_description}


def fields_of(found):
    parts = PARTS.get(found.kind)
    return [found.kind, *(parts(found.body) if parts else [found.body])]


def settled(messages):
    """Reports of settings that follow one another, by name. RESET ALL gives them in the order in which they came to have other
    values (since PostgreSQL 16), and on a backend that others have used that is another order than straight."""
    runs = itertools.groupby(messages, key=lambda found: found.kind == "S")
    return [found for are_reports, run in runs for found in (sorted(run, key=lambda one: one.body) if are_reports else run)]


def varying_fields(first, second):
    """For each message of two straight runs, the places of its fields that differ. The runs must have the same shape."""
    first, second = settled(first), settled(second)
    kinds = ["".join(found.kind for found in run) for run in (first, second)]
    assert kinds[0] == kinds[1], f"two straight runs differ: {first_difference(first, second, None)}"
    marked = []
    for one, two in zip(first, second):
        pair = fields_of(one), fields_of(two)
        assert len(pair[0]) == len(pair[1]), f"two straight runs differ in shape: {one} and {two}"
        marked.append({place for place, (left, right) in enumerate(zip(*pair)) if left != right})
    return marked


def first_difference(wanted, seen, varying):
    """What the first message is that differs outside of the varying fields; None where none does."""
    wanted, seen = settled(wanted), settled(seen)
    for at in range(max(len(wanted), len(seen))):
        if at >= len(wanted) or at >= len(seen):
            side = "a message more" if at >= len(wanted) else "a message less"
            return f"message {at}: {side}: {(seen if at >= len(wanted) else wanted)[at]}"
        left, right = fields_of(wanted[at]), fields_of(seen[at])
        ignored = varying[at] if varying else set()
        if len(left) != len(right) or any(one != two for place, (one, two) in enumerate(zip(left, right)) if place not in ignored):
            return f"message {at}: straight {wanted[at]}, but {seen[at]}"
    return None
