from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.chirp import Chirp

CHIRP = Chirp((0.0, 2.0, 0.0), 0.015, 0.4, 1.2, 8.0, 1.0)


def test_it_begins_and_ends_where_it_was_and_keeps_its_direction_and_size():
    offsets = np.array([CHIRP.offset(t) for t in np.linspace(-1.0, 9.0, 2001)])
    assert np.allclose(offsets[[0, -1]], 0.0)
    assert np.abs(offsets[:, [0, 2]]).max() == 0.0
    assert 0.0145 < np.abs(offsets[:, 1]).max() <= 0.015


def test_it_is_never_faster_than_it_says():
    at = np.linspace(0.0, 8.0, 20001)
    speed = np.abs(np.gradient([CHIRP.offset(t)[1] for t in at], at)).max()
    assert 0.7 * CHIRP.max_speed_m_s < speed <= CHIRP.max_speed_m_s


@pytest.mark.parametrize(
    "changed", [{"direction": (0.0, 0.0, 0.0)}, {"amplitude_m": 0.0}, {"ramp_s": 5.0}, {"direction": (1.0,)}]
)
def test_a_motion_that_is_none_is_refused(changed):
    with pytest.raises(ValueError, match=next(iter(changed))):
        replace(CHIRP, **changed)
