from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibrate.latency import LatencyStep
from steadyhand.calibration.cell import Cell
from steadyhand.calibration.motion_recording import record_motion
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import DOWN, mock_hardware
from tests.config_kit import composed

STEP = build(LatencyStep, compose(["+calibrate=latency"])["calibrate"], "calibrate")
CHIRP = replace(STEP.chirp, duration_s=3.0)


@pytest.fixture
def cell():
    limits = build(SafetyLimits, composed("task=reach")["safety"], "safety")
    found = Cell(mock_hardware("task=reach", views={}), limits, 0.1, STEP.motion)
    found.open()
    found.move_to_start(np.concatenate([[0.5, 0.0, 0.2], DOWN]), 0.02)
    yield found
    found.close()


def test_the_arm_follows_the_motion_along_its_direction_and_ends_where_it_began(cell):
    start = cell.pose.copy()
    found = record_motion(cell, CHIRP, STEP.poll_s, STEP.tail_s)
    assert np.abs(found.commanded.values_m).max() == pytest.approx(CHIRP.amplitude_m, rel=0.1)
    assert 0.5 * CHIRP.amplitude_m < np.abs(found.measured.values_m).max() < 1.2 * CHIRP.amplitude_m
    assert np.diff(found.measured.times_s) == pytest.approx(STEP.poll_s, abs=0.003)
    assert np.linalg.norm(cell.pose[:3] - start[:3]) < 0.003


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"last_hz": 5.0}, "a motion of at most 0.25 m/s"),
        ({"amplitude_m": 0.4, "last_hz": 0.01, "first_hz": 0.01}, "m/s"),
    ],
)
def test_a_motion_beyond_the_limits_is_refused(cell, changed, expected):
    with pytest.raises(CalibrationError, match=expected):
        record_motion(cell, replace(CHIRP, **changed), STEP.poll_s, STEP.tail_s)


def test_a_wall_nearby_is_refused(cell):
    cell.limit(replace(cell.limits, workspace_high_m=(0.7, 0.01, 0.5)))
    with pytest.raises(CalibrationError, match=r"0\.012 m of room on both sides of the tool, found 0\.010 m"):
        record_motion(cell, CHIRP, STEP.poll_s, STEP.tail_s)
