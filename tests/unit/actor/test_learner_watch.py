import logging

import pytest

from steadyhand.actor.learner_watch import LearnerWatch
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.uplink import Progress

SECOND = 1_000_000_000


def look(watch, clock, seconds, **changes):
    """Let `seconds` pass, one look a second; return what the last one said. A callable is given the second."""
    said = None
    for second in range(seconds):
        clock.advance_ns(SECOND)
        values = {name: value(second) if callable(value) else value for name, value in changes.items()}
        said = watch.look(Progress(**({"connected": True, "learner_phase": "online"} | values)))
    return said


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def watch(clock):
    return LearnerWatch(10.0, clock)


def test_records_without_updates_are_reported_once(watch, clock, caplog):
    with caplog.at_level(logging.ERROR):
        assert not look(watch, clock, 10, updates=5, next_seq=lambda s: 1 + s)
        assert look(watch, clock, 20, updates=5, next_seq=lambda s: 20 + s)
    assert len(caplog.records) == 1
    assert "no update for 11 s (it answers" in caplog.text


def test_a_learner_that_is_gone_is_reported(watch, clock, caplog):
    look(watch, clock, 1, updates=5, next_seq=7)
    assert look(watch, clock, 15, updates=5, next_seq=7, connected=False)
    assert "it does not answer" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"updates": lambda s: s, "next_seq": lambda s: s},
        {"updates": 5, "next_seq": 7},  # nothing comes to it
        {"updates": 0, "next_seq": lambda s: s, "learner_phase": "waiting"},
        {"updates": 0, "next_seq": lambda s: s, "learner_phase": "pretraining"},
        {"updates": 9, "next_seq": lambda s: s, "learner_phase": "finished"},
    ],
)
def test_what_is_no_stall(watch, clock, changes):
    assert not look(watch, clock, 60, **changes)


def test_it_may_go_on(watch, clock):
    assert look(watch, clock, 15, updates=5, next_seq=lambda s: s)
    assert not look(watch, clock, 1, updates=6, next_seq=16)
    assert not look(watch, clock, 9, updates=6, next_seq=lambda s: 17 + s)


def test_without_a_limit_it_says_nothing(clock):
    assert not look(LearnerWatch(None, clock), clock, 600, updates=5, next_seq=lambda s: s)
