import numpy as np
import pytest

from steadyhand.calibration.camera_model import CameraModel, project, read_camera_model
from steadyhand.runtime.calibration_file import CalibrationError, write_calibration
from tests.board_kit import SMALL

cv2 = pytest.importorskip("cv2")


def written(folder, **changes):
    names = ("width", "height", "fx_px", "fy_px", "cx_px", "cy_px")
    values = {name: getattr(SMALL, name) for name in names} | {"distortion": list(SMALL.distortion)} | changes
    return write_calibration(folder, "intrinsics", "wrist", belongs_to={}, sets={}, values=values, residuals={})


def test_projection_agrees_with_opencv():
    points = np.random.default_rng(0).uniform([-0.2, -0.15, 0.4], [0.2, 0.15, 0.8], (50, 3))
    expected, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), SMALL.matrix, np.array(SMALL.distortion))
    assert project(SMALL.vector, points) == pytest.approx(expected.reshape(-1, 2), abs=1e-9)


def test_a_point_behind_the_camera_has_no_place():
    assert np.isnan(project(SMALL.vector, np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]))).all(axis=1).tolist() == [
        True,
        False,
    ]


def test_a_model_survives_its_vector_and_its_file(tmp_path):
    assert CameraModel.from_vector(SMALL.width, SMALL.height, SMALL.vector) == SMALL
    assert read_camera_model(written(tmp_path)) == SMALL


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"fx_px": -1.0}, "above 0"), ({"distortion": [0.0]}, "5 coefficients"), ({"width": "wide"}, "values.width")],
)
def test_impossible_intrinsics_are_refused_in_one_line(tmp_path, change, expected):
    with pytest.raises(CalibrationError, match=expected) as refused:
        read_camera_model(written(tmp_path, **change))
    assert "\n" not in str(refused.value)
