"""Tries generated conversations before one endpoint, one after the other, each on a server that is as it was before."""
import time
from typing import NamedTuple

import psycopg
from conversation import HANGS, differences, error_codes, play
from conversation_pool import SETUP
from side_by_side import PARAMETERS

DEADLINE = 1.5
QUIET = 0.015  # in most conversations nothing depends on where a step of it ends
NO_BACKEND = "53300"
RESET = "TRUNCATE t; INSERT INTO t VALUES (1, 'one'), (2, 'two')"
IDLE = """SELECT state, query FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
          AND application_name NOT LIKE 'pgtandem%'"""
ADVISORY = "SELECT locktype, mode FROM pg_locks WHERE locktype = 'advisory'"


class Fault(NamedTuple):
    kind: str
    what: str

    def sort(self):
        """Faults of one sort are told once."""
        return self.what.split("\n")[0][:60]


class Trial:
    def __init__(self, both, kind):
        self.both, self.kind = both, kind
        self.place = both.proxies[kind].place
        self.count = self.starved = 0
        self.used = both.processor_seconds(kind)
        self.is_clean = False
        self.watches = [both.servers.place(number).connect(application_name="pgtandem tests") for number in (1, 2)]
        self.watches[0].execute("SET lock_timeout = '3s'")

    def close(self):
        for watch in self.watches:
            watch.close()

    def make_clean(self, conversation):
        if not self.is_clean or conversation.is_changed():
            self.both.prepare(self.straight(), SETUP)
            self.is_clean = True
        elif conversation.is_written():
            self.watches[0].execute(RESET)

    def straight(self):
        return self.both.straight

    def played(self, place, conversation, counts=None):
        """And the server put back as it was."""
        played = play(place, conversation.steps, counts, DEADLINE, PARAMETERS[self.kind], QUIET)
        kept = self.kept()
        try:
            self.make_clean(conversation)
        except psycopg.errors.LockNotAvailable:
            kept.append("a lock on the table is kept")
        return played, kept

    def kept(self):
        """Transactions and locks that are not given up soon."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            found = [f"kept: {row}" for watch in self.watches for listed in (IDLE, ADVISORY) for row in watch.execute(listed).fetchall()]
            if not found:
                return []
            time.sleep(0.002)
        return found

    def faults(self, conversation):
        """[] where both are told the same and nothing is kept."""
        self.count += 1
        if not self.is_clean:
            self.make_clean(conversation)
        wanted, straight_kept = self.played(self.straight(), conversation)
        assert straight_kept == [], f"the server itself keeps {straight_kept}"
        # What the endpoint answers itself has no counterpart: how much is to come then is not known.
        seen, found = self.played(self.place, conversation, None if conversation.has_own() else wanted.counts)
        # Who takes turns with a client that keeps the one backend gets none.
        is_starved = conversation.is_in_turns() and any(NO_BACKEND in error_codes(told) for told in seen.told)
        if is_starved:
            self.starved += 1
        elif not conversation.has_own():
            found += differences(conversation.steps, wanted, seen)
        elif any(HANGS in told for told in seen.told) and not any(HANGS in told for told in wanted.told):
            found.append("hangs behind a statement of the endpoint's own")
        found += self.both.unanswered(self.place, DEADLINE)
        if found:
            self.start_anew()
        return [Fault(self.kind, one) for one in found]

    def start_anew(self):
        self.both.start_anew(self.kind)
        self.used = self.both.processor_seconds(self.kind)

    def spins(self):
        """With nobody there, a process has nothing to do."""
        before = self.both.processor_seconds(self.kind)
        time.sleep(0.3)
        return self.both.processor_seconds(self.kind) - before > 0.15
