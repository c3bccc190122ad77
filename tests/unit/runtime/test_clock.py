from datetime import datetime, timezone

import pytest

from steadyhand.runtime.clock import Clock, FakeClock, MonotonicClock, utc_text, wall_time_ns

MS = 1_000_000


@pytest.mark.parametrize("clock", [MonotonicClock(), FakeClock(5)])
class TestEveryClock:
    def test_never_goes_back(self, clock: Clock):
        times = [clock.now_ns() for _ in range(100)]
        assert times == sorted(times)

    def test_sleeps_until_the_time_asked_for(self, clock: Clock):
        wake = clock.now_ns() + 2 * MS
        clock.sleep_until(wake)
        assert clock.now_ns() >= wake

    def test_a_time_already_past_returns_at_once(self, clock: Clock):
        before = clock.now_ns()
        clock.sleep_until(before - 3600 * 1_000_000_000)
        assert before <= clock.now_ns() < before + 1_000 * MS


def test_fake_clock_moves_only_when_told():
    clock = FakeClock(7)
    assert [clock.now_ns(), clock.now_ns()] == [7, 7]
    clock.advance_ns(10)
    clock.sleep_until(100)
    assert clock.now_ns() == 100


def test_fake_clock_refuses_to_go_back():
    with pytest.raises(ValueError, match="only moves forward"):
        FakeClock().advance_ns(-1)


def test_wall_time_is_the_date():
    now = datetime.now(timezone.utc)
    assert abs(wall_time_ns() / 1e9 - now.timestamp()) < 60


def test_utc_text():
    assert utc_text(0) == "1970-01-01T00:00:00Z"
    assert utc_text(1_700_000_000_999_999_999) == "2023-11-14T22:13:20Z"
