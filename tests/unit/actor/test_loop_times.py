import pytest

from steadyhand.actor.events import EpisodeBegan, Events, StepEnded
from steadyhand.actor.loop_times import LoopTimes
from steadyhand.transport.record import Phase

MS = 1_000_000


def test_periods_that_are_missed_and_commands_that_catch_up_are_counted():
    times = LoopTimes(0.1)
    times.begin(0)
    for now_ms in (100, 200, 360, 400, 500):
        times.look(now_ms * MS)
    assert (times.period.count, times.missed, times.bursts) == (5, 1, 1)
    assert times.period.percentiles().max_ms == pytest.approx(160.0)


def test_a_reset_is_no_period():
    times, events = LoopTimes(0.1), Events()
    times.follow(events)
    for began_ms in (0, 5000):
        events.emit(EpisodeBegan(0, Phase.DEMO, began_ms * MS))
        for step in (1, 2):
            events.emit(StepEnded(0, step, {}, 0.0, (began_ms + 100 * step) * MS))
    assert (times.period.count, times.missed, times.bursts) == (4, 0, 0)
