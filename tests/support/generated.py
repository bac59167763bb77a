"""Generated conversations: made from a seed, tried straight and through the endpoint, and made small where they differ."""
import time
from typing import NamedTuple

import wire_messages as wire
from conversation import Step, gone, say
from conversation_pool import OWN, TAME, Pool, dice_of, flight, sent

A, B = 0, 1
# After whatever the first client has done, one that comes next finds a clean backend.
PROBES = [say(B, wire.query("SHOW work_mem"), wire.query("SHOW datestyle"), wire.query("SHOW timezone"), wire.query("SELECT current_setting('my.own', true), current_user"),
              wire.query("SHOW search_path"), wire.query("SHOW standard_conforming_strings")),
          say(B, *[wire.bind(statement=name) + wire.execute() + wire.sync() for name in ("", "s1", "s2", "pgtandem_1")]),
          say(B, *[wire.execute(portal) + wire.sync() for portal in ("", "p1")]),
          say(B, wire.parse("SELECT $1::int + 1", "s1"), wire.bind([b"41"], "s1"), wire.execute(), wire.sync())]


class Conversation(NamedTuple):
    seed: int
    steps: list

    def has_own(self):
        return any(text.encode() in step.data for step in self.steps for text in OWN)

    def is_written(self):
        return any(word in step.data for step in self.steps for word in (b"INSERT", b"UPDATE", b"DELETE", b"TRUNCATE", b"COPY t F", b"writes", b"CREATE", b"ALTER"))

    def is_in_turns(self):
        return not any(step.leaves for step in self.steps)

    def is_changed(self):
        return any(word in step.data for step in self.steps for word in (b"ALTER TABLE",))


def one_after_the_other(dice):
    """The first client does what it likes and goes in any way, also amid a message; then another one comes."""
    pool = Pool(dice)
    steps = []
    for _ in range(dice.randint(1, 5)):
        steps += sent(dice, A, flight(dice, pool))
    how = dice.choices(["half", "end", "close", "reset"], [4, 3, 3, 2])[0]
    if how in ("close", "reset"):
        # What it has sent last may or may not be done before the server notices: nothing that lasts.
        last = b"".join(flight(dice, Pool(dice, TAME[:3])))
        steps.append(Step(A, last[:dice.randint(0, len(last))]))
    elif dice.random() < 0.4:
        last = b"".join(flight(dice, pool))
        steps.append(Step(A, last[:dice.randint(0, len(last))]))
    steps.append(gone(A, how))
    steps += PROBES
    for _ in range(dice.randint(0, 2)):
        steps += sent(dice, B, flight(dice, pool))
    return steps


def in_turns(dice):
    """Two clients on one backend, each with whole batches."""
    pool = Pool(dice, TAME)
    steps = []
    for _ in range(dice.randint(3, 8)):
        steps += [say(dice.choice([A, B]), *flight(dice, pool, odd=False))]
    return steps


def converse(seed):
    dice = dice_of(seed)
    return Conversation(seed, one_after_the_other(dice) if dice.random() < 0.8 else in_turns(dice))


# --- making it small


def messages_of(step):
    """A step's messages; what is no whole message stays together."""
    found, at, data = [], 0, step.data
    while at < len(data):
        length = int.from_bytes(data[at + 1:at + 5], "big") if at + 5 <= len(data) else 0
        end = min(at + 1 + length, len(data)) if length >= 4 else len(data)
        found.append(data[at:end])
        at = end
    return found


def smaller(steps):
    """Conversations with a part less."""
    for number in range(len(steps)):
        yield steps[:number] + steps[number + 1:]
    for number, step in enumerate(steps):
        if step.parts:
            yield steps[:number] + [step._replace(parts=(), pause=0)] + steps[number + 1:]
        messages = messages_of(step)
        for at in range(len(messages) if len(messages) > 1 else 0):
            yield steps[:number] + [step._replace(data=b"".join(messages[:at] + messages[at + 1:]), parts=(), pause=0)] + steps[number + 1:]


def shrink(steps, fails, seconds):
    """The smallest that still fails, as far as it is found in time."""
    end = time.monotonic() + seconds
    has_shrunk = True
    while has_shrunk:
        has_shrunk = False
        for candidate in smaller(steps):
            if time.monotonic() > end:
                return steps
            if candidate and fails(candidate):
                steps, has_shrunk = candidate, True
                break
    return steps


def in_words(steps):
    lines = []
    for step in steps:
        shown = " ".join(f"{chr(one[0])}{one[5:]!r}" if len(one) >= 5 else repr(one) for one in messages_of(step))
        lines.append(f"  {'AB'[step.who]}: {shown}{f' cut at {step.parts}' if step.parts else ''}{' ' + step.leaves if step.leaves else ''}")
    return "\n".join(lines)
