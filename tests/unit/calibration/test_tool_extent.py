import numpy as np
import pytest

from steadyhand.calibration.tool_extent import extent_of_points, touching_points
from steadyhand.runtime.calibration_file import CalibrationError
from tests.cell_kit import pivot_poses, tilts

POINT = np.array([0.5, 0.1, 0.02])


def test_what_touched_the_point_is_found_in_the_tool_frame():
    outline = np.array([[0.01, 0.02, 0.03], [-0.02, 0.0, 0.01], [0.0, -0.03, 0.0]])
    poses = np.concatenate([pivot_poses(at, POINT, tilts(0.3)[i : i + 1]) for i, at in enumerate(outline)])
    assert np.allclose(touching_points(poses, POINT), outline)


def test_the_box_holds_the_tool_centre_point_too():
    extent = extent_of_points(np.array([[0.01, -0.02, 0.03]]), 0.001)
    assert extent.low_m == pytest.approx((-0.001, -0.021, -0.001))
    assert extent.high_m == pytest.approx((0.011, 0.001, 0.031))


def test_millimetres_are_refused():
    with pytest.raises(CalibrationError, match="give metres, in the tool frame"):
        extent_of_points(np.array([[10.0, 0.0, 30.0]]), 0.0)
