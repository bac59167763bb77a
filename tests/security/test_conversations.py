"""Whole conversations made at random, straight and through the endpoint: the same answers, nobody hangs, nothing foreign is seen, and
no backend is kept.

TANDEM_SEED names the first seed; each seed is one conversation. What differs is made small and shown in words.
"""
import contextlib
import os
import time

import pytest
from generated import converse, in_words, shrink
from side_by_side import ENDPOINTS, side_by_side
from trial import Trial

both = side_by_side(query_wait_timeout_ms=500)
FIRST_SEED = int(os.environ.get("TANDEM_SEED", 1))
FAULTS_MAX = 10


def found_by(trial, seed, shrink_seconds):
    """What a seed's conversation tells that is wrong, in words; None where all is well."""
    conversation = converse(seed)
    faults = trial.faults(conversation)
    if not faults:
        return None

    def fails(steps):
        return any(fault.sort() == faults[0].sort() for fault in trial.faults(conversation._replace(steps=steps)))
    # What a former conversation left behind does not come again.
    small = shrink(conversation.steps, fails, shrink_seconds) if fails(conversation.steps) else conversation.steps
    shown = trial.faults(conversation._replace(steps=small)) or faults
    return f"seed {seed}, {trial.kind}:\n{in_words(small)}\n" + "\n".join(fault.what for fault in shown)


def complaints(both, kind, seconds, shrink_seconds, seeds):
    end = time.monotonic() + seconds
    with contextlib.closing(Trial(both, kind)) as trial:
        for seed in seeds:
            if time.monotonic() > end:
                break
            if told := found_by(trial, seed, shrink_seconds):
                yield told
            if trial.count % 100 == 0 and trial.spins():
                yield f"the endpoint uses its core though all are idle, after one of the seeds up to {seed}"
                trial.start_anew()
        print(f"{kind}: {trial.count} conversations, {trial.starved} of them starved, seeds {FIRST_SEED} to {seed}")


def agree(both, kind, seconds, shrink_seconds, seeds):
    told = []
    for one in complaints(both, kind, seconds, shrink_seconds, seeds):
        told.append(one)
        if len(told) == FAULTS_MAX:
            break
    assert not told, "\n\n".join(told)


@pytest.mark.parametrize("kind", ENDPOINTS)
def test_conversations_are_told_the_same_as_straight(both, kind):
    agree(both, kind, 20, 10, range(FIRST_SEED, FIRST_SEED + 100000))


@pytest.mark.long
@pytest.mark.parametrize("kind", ENDPOINTS)
def test_many_conversations_are_told_the_same_as_straight(both, kind):
    agree(both, kind, 330, 60, range(FIRST_SEED + 100000, FIRST_SEED + 10000000))
