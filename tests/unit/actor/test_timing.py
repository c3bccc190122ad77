import pytest

from steadyhand.actor.timing import Timing


def test_percentiles_are_in_milliseconds():
    timing = Timing()
    for ms in range(1, 101):
        timing.add(ms * 1_000_000)
    found = timing.percentiles()
    assert found.p50_ms == pytest.approx(50.5)
    assert found.p99_ms == pytest.approx(99.01)
    assert found.max_ms == 100.0
    assert timing.count == 100


def test_old_samples_make_room_but_the_maximum_stays():
    timing = Timing(capacity=4)
    for ns in (9_000_000, 1, 1, 1, 1, 1):
        timing.add(ns)
    assert timing.percentiles().p99_ms < 1.0
    assert timing.percentiles().max_ms == 9.0


def test_nothing_was_measured():
    assert Timing().percentiles() == (0.0, 0.0, 0.0)
