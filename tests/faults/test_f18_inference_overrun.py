"""F18: the policy takes too long. The watchdog holds the arm, the schedule starts anew, nothing is caught up with."""

import numpy as np
import pytest

from steadyhand.robot_envs.control_period import ControlPeriod
from steadyhand.robot_envs.safety.command_stream import HoldReason, PoseStream
from steadyhand.robot_envs.safety.watchdog import Watchdog
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose
from tests.fault_kit import Practice, StubPolicy
from tests.robot_kit import limits

AT = 5  # the step whose action comes late
MS = 1_000_000


def practise(overrun_periods: float) -> Practice:
    def act(number):
        if number == AT:
            clock = practice.env.clock
            clock.sleep_until(clock.now_ns() + round(overrun_periods * practice.period_ns))
        return [0.5, 0, 0, 0, 0, 0]

    practice = Practice(policy=StubPolicy(act))
    practice.reason = practice.run(15).stop_reason
    return practice


def gaps(practice: Practice) -> np.ndarray:
    """Return the periods between two commands."""
    return np.diff(practice.robot.times("command")) / practice.period_ns


def check_no_burst(practice: Practice) -> None:
    assert gaps(practice)[AT:].min() >= 0.99, "commands came in a burst"


def test_a_choice_within_its_period_costs_nothing():
    practice = practise(0.9)
    assert practice.reason == "interrupted"
    assert practice.loop.overruns == 0


@pytest.mark.parametrize("periods", [1.2, 1.9])
def test_after_an_overrun_the_schedule_starts_anew(periods, record_property):
    practice = practise(periods)
    assert practice.reason == "interrupted"
    assert practice.loop.overruns == 1
    check_no_burst(practice)
    assert gaps(practice)[AT - 1] == pytest.approx(1.0 + periods, abs=0.02)  # its own period, and the overrun
    record_property("deadline_misses", practice.loop.overruns)


@pytest.mark.parametrize("periods", [2.1, 5.0, 50.0])
def test_an_action_for_a_state_that_has_grown_old_is_not_followed(periods):
    practice = practise(periods)
    assert practice.reason == "stale_state"
    assert len(practice.robot.commands) == AT
    assert practice.robot.commands_after_stop(practice.onset_ns(AT + 1)) == 0


def test_a_schedule_that_is_kept_at_any_price_would_catch_up_in_a_burst(monkeypatch):
    def wait(period, clock):
        clock.sleep_until(period._next_ns)
        period._next_ns += period._period_ns
        return False

    monkeypatch.setattr(ControlPeriod, "wait", wait)
    with pytest.raises(AssertionError, match="burst"):
        check_no_burst(practise(1.9))


class Drive:
    """The watchdog at its own rate between an actor that commands every period and an arm that follows."""

    def __init__(self, **changes) -> None:
        values = compose(["robot=mock_ros"])["robot"]["profile"]["watchdog"]
        self.settings = build(WatchdogSettings, {**values, **changes})
        self.period_ns = round(self.settings.command_period_s * 1e9)
        self.watchdog = Watchdog(PoseStream(self.settings, limits()), self.settings, limits().plausible, None)
        self.pose = np.array([0.4, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0])
        self.sent: list[tuple[int, float, HoldReason | None]] = []

    def run(self, until_ns: int, commands_ns: set[int]) -> None:
        """Let time pass in milliseconds; the actor commands at the given ones, a step ahead of the arm."""
        tick_ms = round(1e3 / self.settings.controller_rate_hz)
        for ms in range(until_ns // MS):
            now_ns = ms * MS
            self.watchdog.measured(self.pose.copy(), np.zeros(7), now_ns)
            if now_ns in commands_ns:
                target = self.pose.copy()
                target[0] += 0.005
                self.watchdog.command(target, now_ns)
            if ms % tick_ms == 0:
                target = self.watchdog.tick(now_ns)
                if target is not None:
                    self.pose = target.copy()
                    self.sent.append((now_ns, float(target[0]), self.watchdog.reason))

    def periods_to_hold(self, late_at: int) -> float:
        """Return the periods from command `late_at`, the last before the overrun, until the arm is told to stay."""
        onset_ns = late_at * self.period_ns
        holds = [when for when, _, reason in self.sent if when > onset_ns and reason is HoldReason.NO_COMMANDS]
        return (holds[0] - onset_ns) / self.period_ns if holds else float("inf")


def commands(overrun_periods: int) -> set[int]:
    """Return when the actor commands: every period but those of the overrun after command `AT`."""
    return {step * 100 * MS for step in range(30) if not AT < step < AT + overrun_periods}


@pytest.mark.parametrize("overrun", [2, 3, 10])
def test_the_watchdog_holds_the_arm_within_two_periods(overrun, record_property):
    drive = Drive()
    drive.run(3_000 * MS, commands(overrun))
    periods = drive.periods_to_hold(AT)
    record_property("stop_periods", periods)
    assert periods <= 2.0
    moving = [
        x for when, x, reason in drive.sent if reason is HoldReason.NO_COMMANDS and when < (AT + overrun) * 100 * MS
    ]
    assert np.ptp(moving) <= 1e-9
    # It follows again as soon as commands come again, and nothing is latched.
    assert drive.sent[-1][2] is None
    assert set(drive.watchdog.counts) == {HoldReason.NO_COMMANDS}


def test_without_an_overrun_it_never_holds():
    drive = Drive()
    drive.run(2_900 * MS, commands(1))
    assert drive.periods_to_hold(AT) == float("inf")


def test_without_the_command_timeout_it_would_not_hold():
    drive = Drive(command_timeout_s=1e6)
    drive.run(1_500 * MS, commands(10))
    assert drive.periods_to_hold(AT) == float("inf")
