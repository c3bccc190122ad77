import math
from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.leader_offsets import LeaderSettings, offsets_from_readings
from steadyhand.runtime.calibration_file import CalibrationError

STEP = LeaderSettings(None, 0.0, 1.0, 0.01, 5, 0.02, math.pi / 2, 0.4)
POSE = (0.0, -0.8, 0.0, -2.4)
SIGNS = (1, -1, 1, -1)
TRUE = np.array([0.0, 3.0, -1.0, 2.0]) * math.pi / 2


def readings(present, hand=(0.0, 0.0, 0.0, 0.0), n: int = 20) -> np.ndarray:
    """Joints by the present offsets, of a leader that a hand holds beside the pose."""
    noise = np.random.default_rng(0).normal(0.0, 0.001, (n, 4))
    reported = TRUE + np.array(SIGNS) * (np.array(POSE) + hand)
    return np.array(SIGNS) * (reported - present) + noise


@pytest.mark.parametrize("present", [(0.0,) * 4, tuple(TRUE), (1.0, -2.0, 0.3, 9.0)])
def test_the_offsets_are_found_whatever_the_present_ones_are(present):
    hand = (0.1, -0.15, 0.3, 0.0)
    found = offsets_from_readings(readings(present, hand), SIGNS, present, POSE, STEP)
    np.testing.assert_allclose(found.offsets_rad, TRUE, atol=1e-9)
    np.testing.assert_allclose(found.rest_rad, hand, atol=0.002)
    assert 0.0 < found.spread_rad.max() < 0.02


def test_without_rounding_the_pose_is_met_exactly():
    hand = np.array([0.1, -0.15, 0.6, 0.7])
    step = replace(STEP, round_rad=None)
    found = offsets_from_readings(readings((0.0,) * 4, hand), SIGNS, (0.0,) * 4, POSE, step)
    np.testing.assert_allclose(found.offsets_rad, TRUE + np.array(SIGNS) * hand, atol=0.002)
    assert not found.rest_rad.any()


def moved() -> np.ndarray:
    rows = readings((0.0,) * 4)
    rows[:, 2] += np.linspace(0.0, 0.1, len(rows))
    return rows


@pytest.mark.parametrize(
    ("rows", "pose", "line"),
    [
        (moved(), POSE, r"every joint still within 0.02 rad for 1 s, found joint 3 moved by 0\.\d+ rad; hold"),
        (readings((0.0,) * 4, (0, 0, 0, 0.6)), POSE, r"expected joint 4 within 0.4 rad of the pose, found \+0.60 rad"),
        (readings((0.0,) * 4, n=4), POSE, "at least 5 readings in 1 s, found 4"),
        (readings((0.0,) * 4), POSE[:3], "expected 4 joints, as the leader has, found 3"),
    ],
)
def test_what_cannot_be_used_is_one_line(rows, pose, line):
    with pytest.raises(CalibrationError, match=line):
        offsets_from_readings(rows, SIGNS, (0.0,) * 4, pose, STEP)


def test_a_joint_beside_the_pose_must_have_one_nearest_offset():
    with pytest.raises(ValueError, match="near_rad: expected less than half of round_rad"):
        replace(STEP, near_rad=0.8)
