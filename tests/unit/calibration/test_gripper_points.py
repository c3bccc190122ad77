import numpy as np
import pytest

from steadyhand.calibration.gripper_points import GripperSettings, ends_from_readings
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose

SETTINGS = build(GripperSettings, compose(["+calibrate=gripper"])["calibrate"]["ends"], "ends")


def test_the_ends_are_the_means_and_the_spread_the_worst_reading():
    found = ends_from_readings(np.array([0.080, 0.082]), np.array([0.001, 0.001]), 0.08, SETTINGS)
    assert found.open_position == pytest.approx(0.081)
    assert found.closed_position == pytest.approx(0.001)
    assert found.spread == pytest.approx(0.001)


def test_a_joint_that_closes_upwards_is_a_range_too():
    found = ends_from_readings(np.array([0.01]), np.array([0.79]), -0.8, SETTINGS, "of the joint")
    assert (found.open_position, found.closed_position) == (0.01, 0.79)


@pytest.mark.parametrize(
    ("opened", "closed", "expected"),
    [
        ([0.08], [0.08], "travel of at least 0.024 m, found 0 m; take out what it holds"),
        ([0.08, 0.08], [0.0, 0.03], "let nothing come between the fingers"),
        ([float("nan")], [0.0], "travel of at least"),
    ],
)
def test_a_gripper_that_does_not_travel_or_repeat_is_refused(opened, closed, expected):
    with pytest.raises(CalibrationError, match=expected):
        ends_from_readings(np.array(opened), np.array(closed), 0.08, SETTINGS)
