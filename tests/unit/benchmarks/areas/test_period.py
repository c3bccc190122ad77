import numpy as np

from benchmarks.areas.period import phase_of
from steadyhand.transport.record import Kind


class Columns:
    """The columns of a log."""

    def __init__(self, **columns):
        self.columns = {name: np.array(values) for name, values in columns.items()}

    def gather(self, rows, field):
        return self.columns[field][rows]


def test_periods_are_within_episodes_and_resets_between_whole_ones():
    log = Columns(
        stamp_ns=np.array([0, 100, 200, 500, 610, 700, 1000]) * 1_000_000,
        episode_id=[0, 0, 0, 1, 1, 2, 2],
        kind=[Kind.STEP, Kind.STEP, Kind.FINAL, Kind.STEP, Kind.STEP, Kind.STEP, Kind.STEP],
    )
    whole = phase_of(log, 0, 7)
    assert whole.periods_ms.tolist() == [100, 100, 110, 300]
    assert whole.resets_ms.tolist() == [300]  # the episode that was cut short does not say how long a reset takes
    assert phase_of(log, 3, 5).periods_ms.tolist() == [110]
