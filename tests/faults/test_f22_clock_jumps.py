"""F22: somebody sets the date, or a stamp is of another clock. No stop that should not be, none that is missed."""

import time
from dataclasses import replace

import pytest

from tests.fault_kit import Fault, FaultPlan, Practice, StubPolicy

AT, HOUR_NS = 5, 3_600_000_000_000
JUMPS = (HOUR_NS, -HOUR_NS)


class Wall:
    """The date, which jumps when it is told to."""

    def __init__(self) -> None:
        self.offset_ns, self._real_ns = 0, vars(time)["time_ns"]  # the date itself, before it is patched

    def now_ns(self) -> int:
        return self._real_ns() + self.offset_ns


class ByDate:
    """A clock of the kind that the product must not use for control: it jumps with the date."""

    def __init__(self, clock, wall: Wall) -> None:
        self._clock, self._wall = clock, wall

    def now_ns(self) -> int:
        return self._clock.now_ns() + self._wall.offset_ns

    def sleep_until(self, t_ns: int) -> None:
        # For a period at most: nobody wants to simulate an hour.
        self._clock.sleep_until(min(t_ns - self._wall.offset_ns, self._clock.now_ns() + 100_000_000))


@pytest.fixture
def wall(monkeypatch):
    wall = Wall()
    monkeypatch.setattr(time, "time_ns", wall.now_ns)
    monkeypatch.setattr(time, "time", lambda: wall.now_ns() / 1e9)
    return wall


def grows_old(state):
    return replace(state, stamp_ns=state.stamp_ns - 300_000_000)


def practise(wall: Wall, jump_ns: int, plan: FaultPlan | None = None, by_date: bool = False) -> Practice:
    def act(step):
        if step == AT - 1:
            wall.offset_ns += jump_ns
        return [0.3, 0, 0, 0, 0, 0]

    practice = Practice(plan=plan, policy=StubPolicy(act))
    if by_date:
        practice.env.clock = ByDate(practice.env.clock, wall)
    practice.reason = practice.run(12).stop_reason
    return practice


def wrong_stops(wall: Wall, jump_ns: int, by_date: bool = False) -> int:
    """Return 1 for a stop without a cause, and 1 for a silent robot that is not noticed."""
    spurious = practise(wall, jump_ns, by_date=by_date).reason != "interrupted"
    silent = practise(wall, jump_ns, FaultPlan(Fault(AT, grows_old, 100)), by_date)
    missed = silent.reason != "stale_state" or len(silent.robot.commands) > AT
    return int(spurious) + int(missed)


@pytest.mark.parametrize("jump_ns", JUMPS)
def test_a_date_that_jumps_stops_nothing_and_hides_nothing(wall, jump_ns, record_property):
    wrong = wrong_stops(wall, jump_ns)
    record_property("wrong_stops", wrong)
    assert wrong == 0


@pytest.mark.parametrize("jump_ns", JUMPS)
def test_control_by_the_date_would_stop_or_miss(wall, jump_ns):
    assert wrong_stops(wall, jump_ns, by_date=True) > 0


def test_a_stamp_from_the_future_is_of_another_clock_and_is_no_fresh_state(wall, record_property):
    plan = FaultPlan(Fault(AT, lambda state: replace(state, stamp_ns=state.stamp_ns + HOUR_NS), 100))
    practice = practise(wall, 0, plan)
    assert practice.reason == "stale_state"
    record_property("wrong_stops", 0)
