import numpy as np
import pytest

from steadyhand.robot_envs.safety.tare import TareError, TareLimits, mean_wrench

LIMITS = TareLimits(15.0, 3.0, 5.0)


def readings(force, spread=0.5, torque=0.0):
    found = np.tile([0.0, 0.0, force, torque, 0.0, 0.0], (10, 1))
    found[::2, 2] += spread
    return found


def test_a_free_tool_is_tared_by_its_mean():
    assert mean_wrench(readings(8.0), LIMITS) == pytest.approx([0, 0, 8.25, 0, 0, 0])


@pytest.mark.parametrize(
    ("wrench", "named"),
    [
        (readings(80.0), "80.2 N"),
        (readings(5.0, spread=9.0), "varies by 9.0 N"),
        (readings(5.0, torque=4.0), "4.00 Nm"),
        (readings(np.nan), "nan"),
    ],
)
def test_a_pressed_or_restless_tool_is_refused(wrench, named):
    with pytest.raises(TareError, match="cannot tare") as refused:
        mean_wrench(wrench, LIMITS)
    assert named in str(refused.value)
