import pytest

from benchmarks import stopwatch
from benchmarks.stopwatch import Stopwatch
from steadyhand.runtime.clock import FakeClock


class Work:
    def __init__(self, clock):
        self.clock = clock

    def outer(self):
        self.clock.advance_ns(1_000_000_000)
        self.inner()
        self.clock.advance_ns(2_000_000_000)
        return "done"

    def inner(self):
        self.clock.advance_ns(4_000_000_000)


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock()
    monkeypatch.setattr(stopwatch, "CLOCK", clock)
    return clock


def test_an_item_gets_the_time_that_no_inner_one_takes(clock):
    watch, work = Stopwatch(), Work(clock)
    with watch.watching((Work, "outer", "out", "stage"), (Work, "inner", "in", "")):
        assert work.outer() == "done"
        work.inner()
    assert watch.seconds == {"stage: out": 3.0, "stage: in": 4.0, "in": 4.0}


def test_nothing_is_watched_afterwards(clock):
    watch, work = Stopwatch(), Work(clock)
    with watch.watching((Work, "outer", "out", "")):
        pass
    work.outer()
    assert watch.seconds == {}
