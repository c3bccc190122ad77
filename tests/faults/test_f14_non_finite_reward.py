"""F14: a reward is not finite, or larger than a record can hold. Its step keeps its number and is not learnt from."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.actor import episode
from steadyhand.transport.record import valid_starts
from tests.fault_kit import Practice

AT = range(3, 10)  # the steps whose reward is at fault


class BadTask:
    """A task whose reward is `value` in the steps `at`."""

    def __init__(self, task, value: float, at) -> None:
        self._task, self._value, self._at, self._looks = task, value, at, -2  # the reset looks too

    def __getattr__(self, name):
        return getattr(self._task, name)

    def evaluate(self, state, workpieces):
        self._looks += 1
        outcome = self._task.evaluate(state, workpieces)
        return replace(outcome, reward=self._value) if self._looks in self._at else outcome


def practise(value: float, at=AT) -> Practice:
    practice = Practice()
    practice.env._task = BadTask(practice.env._task, value, at)
    practice.summary = practice.run(15)
    return practice


def stored(practice: Practice) -> int:
    """Check what has to be so, and return how many bad rewards are stored."""
    rows = practice.rows()
    bad = int((~np.isfinite(rows["reward"])).sum())
    assert not bad, "a reward that is not finite is stored"
    assert rows["seq"].tolist() == list(range(16))
    assert [step for step in range(15) if not rows["valid"][step]] == list(AT)
    assert not valid_starts(rows)[list(AT)].any()
    assert valid_starts(rows)[[0, 1, 10, 11]].all()
    assert practice.loop.bad_rewards == len(AT)
    assert np.isfinite(practice.summary.episode_return)
    return bad


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_its_record_is_there_and_does_not_count(value, record_property):
    record_property("stored_non_finite", stored(practise(value)))


def test_one_is_a_warning_and_many_in_a_row_are_an_error(caplog):
    caplog.set_level(logging.WARNING)
    practise(np.nan)
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "not finite in 5 steps in a row" in caplog.text


def test_one_now_and_then_is_no_error(caplog):
    caplog.set_level(logging.WARNING)
    practise(np.nan, (1, 4, 7, 9, 12, 14))
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_without_the_check_it_would_be_stored(monkeypatch):
    class Anything(float):
        def __ge__(self, other):
            return True

    monkeypatch.setattr(episode, "LARGEST_REWARD", Anything())
    with pytest.raises(AssertionError, match="is stored"):
        stored(practise(np.inf))
