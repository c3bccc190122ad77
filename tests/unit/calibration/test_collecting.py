from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.cell import Cell, MotionSettings
from steadyhand.calibration.collecting import visit
from steadyhand.calibration.pose_set import PoseSetSettings, poses_about
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import DOWN, mock_hardware
from tests.config_kit import composed

MOTION = build(MotionSettings, compose(["+calibrate=motion"])["calibrate"]["motion"], "motion")
START = np.concatenate([[0.5, 0.0, 0.2], DOWN])
WRIST = {"wrist": {"height": 32, "width": 32}}


@pytest.fixture
def cell():
    hardware = mock_hardware("task=reach", views=WRIST)
    found = Cell(hardware, build(SafetyLimits, composed("task=reach")["safety"], "safety"), 0.1, MOTION)
    found.open()
    found.move_to_start(START, 0.02)
    yield found
    found.close()


def test_at_each_pose_there_is_what_was_measured_and_seen_there(cell):
    wanted = poses_about(START, START[:3], cell.limits, PoseSetSettings((-0.2, 0.0, 0.2), (0.0,), 0.01, 0.02, 6))
    visited = []
    seen = visit(cell, wanted, n_readings=3, note=visited.append)
    assert visited == list(range(1, len(wanted) + 1))
    assert np.linalg.norm(seen.poses[:, :3] - wanted[:, :3], axis=1).max() < 0.005
    assert np.abs(np.sum(seen.poses[:, 3:] * wanted[:, 3:], axis=1)).min() > np.cos(0.02)
    assert seen.wrenches.shape == (len(wanted), 6)
    assert seen.pictures["wrist"].shape == (len(wanted), 32, 32, 3)
    differences = np.abs(np.diff(seen.pictures["wrist"].astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert differences.min() > 1.0  # every picture is of its own pose


def test_a_camera_that_stands_still_is_refused(cell):
    frame = cell.cameras[0].latest()
    cell.cameras[0].latest = lambda: frame
    with pytest.raises(CalibrationError, match="camera 'wrist': expected a new frame within 2 s, found none"):
        visit(cell, START[None])


def test_an_arm_outside_of_its_workspace_is_not_moved(cell):
    cell.limit(replace(cell.limits, workspace_low_m=(0.55, -0.3, 0.0)))
    before = cell.pose.copy()
    with pytest.raises(CalibrationError, match="expected the tool inside the workspace"):
        visit(cell, START[None])
    assert np.array_equal(cell.pose, before)
