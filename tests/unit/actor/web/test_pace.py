import pytest

from steadyhand.actor.web.pace import Pace
from steadyhand.runtime.clock import FakeClock

RATE_HZ = 15.0
MS = 1_000_000


def shown(period_ms, seconds=10):
    """Return how many pictures of a source are let through, and the longest wait [s] of one."""
    clock = FakeClock()
    pace = Pace(RATE_HZ, clock)
    count, longest, due_ns = 0, 0.0, 0
    while clock.now_ns() < seconds * 1e9:
        clock.sleep_until(due_ns)
        due_ns += round(period_ms * MS)
        wait_s = pace.wait_s()
        longest = max(longest, wait_s)
        clock.advance_ns(round(wait_s * 1e9) + 1)
        pace.wait_s()
        pace.spend()
        count += 1
    return count, longest


@pytest.mark.parametrize("period_ms", [100.0, 66.7])
def test_a_source_of_at_most_the_rate_never_waits(period_ms):
    count, longest = shown(period_ms)
    assert count == pytest.approx(10_000 / period_ms, abs=2)
    assert longest == 0.0


def test_a_faster_source_is_held_to_the_rate():
    count, longest = shown(5.0)
    assert count == pytest.approx(10 * RATE_HZ, abs=3)
    assert longest > 0.0
