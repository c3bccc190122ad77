from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.intrinsics import calibrate_intrinsics
from steadyhand.runtime.calibration_file import CalibrationError
from tests.board_kit import BOARD, SETTINGS, corners_at, exact_views, facing, noisy

pytest.importorskip("cv2")

WANTED = SETTINGS.pictures


def test_exact_corners_give_the_camera():
    camera, views = exact_views()
    found = calibrate_intrinsics(BOARD, views, WANTED)
    assert found.camera.vector[:4] == pytest.approx(camera.vector[:4], rel=1e-4)
    assert found.rms_px < 1e-3
    assert found.used.all()


def test_the_standard_deviations_describe_the_errors():
    errors = []
    for seed in range(12):
        camera, views = exact_views(seed)
        found = calibrate_intrinsics(BOARD, noisy(np.random.default_rng(seed), views, 0.2), WANTED)
        errors.append((found.camera.vector - camera.vector)[:4] / found.std[:4])
    assert 0.6 < np.sqrt(np.mean(np.square(errors))) < 1.6


def test_a_wrong_view_is_removed():
    camera, views = exact_views()
    views = noisy(np.random.default_rng(0), views, 0.1)
    wrong = views[3].pixels.copy()
    wrong[::2] += 6.0
    views[3] = replace(views[3], pixels=wrong)
    found = calibrate_intrinsics(BOARD, views, WANTED)
    assert np.flatnonzero(~found.used).tolist() == [3]
    assert found.camera.fx_px == pytest.approx(camera.fx_px, rel=2e-3)
    with_it = calibrate_intrinsics(BOARD, views, replace(WANTED, outlier_floor_px=50.0, max_focal_std=0.1))
    assert with_it.used.all()
    assert abs(with_it.camera.fx_px - camera.fx_px) > 2 * abs(found.camera.fx_px - camera.fx_px)


def test_too_few_views_are_refused_with_advice():
    _, views = exact_views(count=5)
    with pytest.raises(CalibrationError, match=r"at least 8 usable pictures of the board, found 5 of 5; "):
        calibrate_intrinsics(BOARD, views, WANTED)


def test_views_of_one_tilt_are_refused():
    camera, _ = exact_views()
    shown = corners_at(BOARD, camera, [facing(0.0, 0.1 * turn, 0.3 + 0.01 * turn) for turn in range(10)])
    with pytest.raises(
        CalibrationError, match=r"at least 2 sides by 15 deg, found 0; tilt the board: left side"
    ) as refused:
        calibrate_intrinsics(BOARD, noisy(np.random.default_rng(0), shown, 0.2), WANTED)
    assert "\n" not in str(refused.value)


def test_pictures_of_two_sizes_are_refused():
    _, views = exact_views()
    views[2] = replace(views[2], width=1280)
    with pytest.raises(CalibrationError, match="of one camera and size, found 1280 x 480, 640 x 480"):
        calibrate_intrinsics(BOARD, views, WANTED)
