import numpy as np
import pytest

from steadyhand.calibration.pivot import PivotSettings, pivot_from_poses
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import pivot_poses, tilts

SETTINGS = build(PivotSettings, compose(["+calibrate=tool"])["calibrate"]["pivot"], "pivot")
TIP, POINT = np.array([0.012, -0.007, 0.083]), np.array([0.52, 0.08, 0.03])


def test_exact_poses_give_the_tip_and_the_point():
    found = pivot_from_poses(pivot_poses(TIP, POINT, tilts(0.4)), SETTINGS)
    assert np.allclose(found.tip_m, TIP, atol=1e-9)
    assert np.allclose(found.point_m, POINT, atol=1e-9)
    assert found.rms_m < 1e-9


def test_noise_is_amplified_at_most_as_said_and_shows_in_the_residual():
    errors, residuals, amplification = [], [], 0.0
    for seed in range(50):
        found = pivot_from_poses(pivot_poses(TIP, POINT, tilts(0.4), 0.0003, seed), SETTINGS)
        errors.append(np.linalg.norm(found.tip_m - TIP))
        residuals.append(found.rms_m)
        amplification = found.amplification
    assert np.sqrt(np.mean(np.square(errors))) < amplification * 0.0003 * np.sqrt(3)
    # 3 noisy coordinates a pose, 6 unknowns over 8 poses.
    assert np.sqrt(np.mean(np.square(residuals))) == pytest.approx(0.0003 * np.sqrt(3 - 6 / 8), rel=0.15)


def test_a_tip_that_slipped_once_is_refused_with_its_pose():
    poses = pivot_poses(TIP, POINT, tilts(0.4))
    poses[5, 0] += 0.02
    with pytest.raises(CalibrationError, match=r"within 2 mm of one point .* at pose 6; keep the tip in its dimple"):
        pivot_from_poses(poses, SETTINGS)


@pytest.mark.parametrize(
    "rotvecs",
    [
        np.zeros((8, 3)),  # no turn at all
        np.stack([np.linspace(-0.5, 0.5, 8), np.zeros(8), np.zeros(8)], axis=1),  # about one axis
        np.stack([np.zeros(8), np.zeros(8), np.linspace(-2, 2, 8)], axis=1),  # about the tool's own axis
        tilts(0.02),  # too little
    ],
)
def test_orientations_that_do_not_determine_the_tip_are_refused_with_what_helps(rotvecs):
    with pytest.raises(CalibrationError, match="tilt the tool farther, about two different axes"):
        pivot_from_poses(pivot_poses(TIP, POINT, rotvecs, 0.0002), SETTINGS)


def test_too_few_poses_are_refused():
    with pytest.raises(CalibrationError, match="at least 6 poses about the fixed point, found 5"):
        pivot_from_poses(pivot_poses(TIP, POINT, tilts(0.4))[:5], SETTINGS)
