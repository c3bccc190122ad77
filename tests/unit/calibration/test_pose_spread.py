from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.pose_spread import PoseSpreadError, check_spread, spread_of, suggestion
from steadyhand.calibration.rotations import matrix_from_rotvec
from tests.board_kit import SETTINGS

WANTED = SETTINGS.hand_eye
RNG = np.random.default_rng(0)


def about(*axes, angle_rad=0.5, count=12):
    """Return rotations about random mixtures of axes."""
    return matrix_from_rotvec(RNG.uniform(-angle_rad, angle_rad, (count, len(axes))) @ np.array(axes, dtype=float))


def test_rotations_about_two_axes_pass():
    spread = check_spread(about([1, 0, 0], [0, 1, 0]), "tool", WANTED)
    assert abs(spread.axes[2][2]) > 0.9
    assert spread.about_deg[1] > 5.0


def test_rotations_about_one_axis_are_refused_with_the_axis_that_helps():
    with pytest.raises(PoseSpreadError, match=r"about two axes.*add poses turned by 30 deg to either side") as refused:
        check_spread(about([0, 0, 1]), "tool", WANTED)
    axis = [float(value) for value in str(refused.value).split("[")[1].split("]")[0].split(",")]
    assert axis[2] == 0.0
    assert np.linalg.norm(axis) == pytest.approx(1.0, abs=0.1)


def test_the_suggested_poses_help():
    turns = about([0, 0, 1])
    axis = spread_of(turns).axes[2]
    more = np.concatenate([turns, matrix_from_rotvec(np.radians(30.0) * np.array([axis, -axis]))])
    check_spread(more, "tool", WANTED)


def test_small_rotations_are_refused():
    with pytest.raises(PoseSpreadError, match=r"turned by at least 20 deg, found at most \d+\.\d deg"):
        check_spread(about([1, 0, 0], [0, 1, 0], angle_rad=0.05), "base", WANTED)


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_too_few_poses_are_refused(count):
    with pytest.raises(PoseSpreadError, match=f"expected at least 8 poses, found {count}"):
        check_spread(about([1, 0, 0], [0, 1, 0], count=count), "tool", WANTED)


def test_the_limits_are_the_settings():
    check_spread(about([1, 0, 0], [0, 1, 0], count=4), "tool", replace(WANTED, min_poses=4))
    assert "of the base frame" in suggestion(spread_of(about([1, 0, 0], [0, 1, 0])), "base")
