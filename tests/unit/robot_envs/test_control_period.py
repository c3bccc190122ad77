from steadyhand.robot_envs.control_period import ControlPeriod
from steadyhand.runtime.clock import FakeClock

PERIOD_NS = 100_000_000


def test_periods_follow_one_another():
    clock, period = FakeClock(), ControlPeriod(0.1)
    period.begin(clock)
    begun = clock.now_ns()
    for number in range(1, 4):
        clock.advance_ns(30_000_000)
        assert not period.wait(clock)
        assert clock.now_ns() == begun + number * PERIOD_NS


def test_after_an_overrun_a_whole_period_follows():
    clock, period = FakeClock(), ControlPeriod(0.1)
    period.begin(clock)
    clock.advance_ns(250_000_000)
    overrun_at = clock.now_ns()
    assert period.wait(clock)
    assert clock.now_ns() == overrun_at + PERIOD_NS
    assert not period.wait(clock)
    assert clock.now_ns() == overrun_at + 2 * PERIOD_NS
