from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.orientation import angles_from
from steadyhand.calibration.workspace import WorkspaceSettings, workspace_from_poses
from steadyhand.robot_envs.safety.region import Extent, Region
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import DOWN, turned

SETTINGS = build(WorkspaceSettings, compose(["+calibrate=workspace"])["calibrate"]["box"], "box")
POINT = Extent((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
PEG = Extent((-0.01, -0.01, 0.0), (0.01, 0.01, 0.03))
CORNERS = np.array([[0.4, -0.2, 0.05], [0.6, -0.2, 0.05], [0.6, 0.2, 0.05], [0.4, 0.2, 0.3]])


def poses(rotvecs=None, corners=CORNERS) -> np.ndarray:
    rotvecs = np.zeros((len(corners), 3)) if rotvecs is None else rotvecs
    return np.concatenate([corners, turned(rotvecs)], axis=1)


def test_the_box_encloses_the_positions_and_the_tilt_is_measured_from_the_mean():
    found = workspace_from_poses(poses(), POINT, SETTINGS)
    assert np.allclose(found.low_m, [0.4, -0.2, 0.05])
    assert np.allclose(found.high_m, [0.6, 0.2, 0.3])
    assert angles_from(DOWN, found.nominal_quat[None])[0] < 1e-9
    assert found.max_tilt_rad == pytest.approx(SETTINGS.margin_rad)


def test_every_taken_pose_is_inside_for_the_gate_and_one_beyond_is_not():
    rng = np.random.default_rng(1)
    for _ in range(20):
        taken = poses(rng.uniform(-0.2, 0.2, (4, 3)))
        found = workspace_from_poses(taken, PEG, SETTINGS)
        region = Region(found.low_m, found.high_m, found.nominal_quat, found.max_tilt_rad, PEG)
        excess = np.array([region.excess(row[:3].tolist(), row[3:].tolist()) for row in taken])
        assert (excess < 1e-9).all()
        assert excess[:, 0].max() > -1e-9  # it is the smallest box: the tool touches its walls
        beyond = taken[1] + np.array([0.1, 0, 0, 0, 0, 0, 0])
        assert region.excess(beyond[:3].tolist(), beyond[3:].tolist())[0] > 0.05


def test_the_margin_grows_and_shrinks_the_box():
    for margin in (0.01, -0.01):
        found = workspace_from_poses(poses(), POINT, replace(SETTINGS, margin_m=margin))
        assert np.allclose(found.low_m, np.array([0.4, -0.2, 0.05]) - margin)
        assert np.allclose(found.high_m, np.array([0.6, 0.2, 0.3]) + margin)


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (poses(corners=CORNERS[:3]), "expected at least 4 poses, found 3; take more corners"),
        (poses(corners=CORNERS * [1, 1, 0.1]), r"at least 0\.05 m, found 0\.025 m along z"),
        (poses([[0, 0, 0], [0, 0, 0], [0, 0, 0], [1.4, 0, 0]]), r"within 0\.80 rad .* found pose 4 at"),
    ],
)
def test_poses_that_give_no_box_are_refused(taken, expected):
    with pytest.raises(CalibrationError, match=expected) as refused:
        workspace_from_poses(taken, POINT, SETTINGS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("override", ["min_poses=1", "margin_m=2", "min_side_m=0", "max_tilt_rad=3"])
def test_numbers_out_of_range_are_refused(override):
    config = compose(["+calibrate=workspace", f"calibrate.box.{override}"])["calibrate"]["box"]
    with pytest.raises(ConfigError, match=override.partition("=")[0]):
        build(WorkspaceSettings, config, "box")
