import math

import numpy as np
import pytest

from steadyhand.actor.authority import HandOver, Ramp

S = 1_000_000_000


def shares(ramp, *times_s):
    return [ramp.share(round(time_s * S)) for time_s in times_s]


def test_a_ramp_grows_evenly_from_its_first_step_to_one():
    assert shares(Ramp(0.3, 0.1), 5.0, 5.1, 5.2, 9.0) == pytest.approx([1 / 3, 2 / 3, 1.0, 1.0])
    assert shares(Ramp(0.3, 0.05), *np.arange(6) * 0.05) == pytest.approx(np.arange(1, 7) / 6)


@pytest.mark.parametrize("duration_s", [0.0, 0.1])
def test_a_ramp_that_is_no_longer_than_a_step_changes_nothing(duration_s):
    assert shares(Ramp(duration_s, 0.1), 0.0, 0.1) == [1.0, 1.0]


def test_a_ramp_that_is_begun_anew_starts_small():
    ramp = Ramp(0.3, 0.1)
    shares(ramp, 0.0, 9.0)
    ramp.restart()
    assert shares(ramp, 9.1) == pytest.approx([1 / 3])


@pytest.mark.parametrize("name", ["release_hold_s", "takeover_ramp_s", "hand_back_ramp_s"])
@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_a_senseless_time_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name}: expected at least 0 s, found"):
        HandOver(**{"release_hold_s": 0.0, "takeover_ramp_s": 0.0, "hand_back_ramp_s": 0.0, name: value})
