"""Threads that work until they are told to end, and keep what went wrong in them."""
import threading

from tandem import PATIENCE


class Crowd:
    """'sessions' are set by what is made of it: threads with a 'fault', which look at 'ends'."""

    def __init__(self):
        self.ends = threading.Event()
        self.sessions = []

    def __enter__(self):
        for session in self.sessions:
            session.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for session in self.sessions:
            session.join(PATIENCE)

    def check(self):
        faults = [session.fault for session in self.sessions if session.fault]
        if faults:
            raise faults[0]
