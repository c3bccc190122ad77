from dataclasses import replace

import numpy as np
import pytest

from steadyhand.calibration.crop_region import CropSettings, change_of, crop_around, crop_of_change, pixels_of_points
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose

SETTINGS = build(CropSettings, compose(["+calibrate=crop"])["calibrate"]["region"], "region")
SIZE = (640, 480)


def pixels(crop, size=SIZE) -> np.ndarray:
    """Return left, top, right, bottom in pixels."""
    return np.array([crop.left, crop.top, crop.left + crop.width, crop.top + crop.height]) * [*size, *size]


def test_over_random_regions_the_rectangle_holds_them_with_square_pixels_inside_the_picture():
    rng = np.random.default_rng(0)
    for _ in range(100):
        points = rng.uniform([0, 0], SIZE, (8, 2)) * rng.uniform(0.2, 0.7)
        crop = crop_around(points, SIZE, 1.0, SETTINGS)
        left, top, right, bottom = pixels(crop)
        assert min(left, top) >= -0.1
        assert right <= 640.1
        assert bottom <= 480.1
        assert (right - left) == pytest.approx(bottom - top, rel=0.02)
        if np.ptp(points, axis=0).max() * (1 + 2 * SETTINGS.margin_share) < 480:
            assert (points.min(axis=0) >= [left - 0.2, top - 0.2]).all()
            assert (points.max(axis=0) <= [right + 0.2, bottom + 0.2]).all()


def test_a_tiny_region_gets_the_least_side_and_one_at_the_edge_stays_inside():
    crop = crop_around(np.array([[638.0, 2.0], [639.0, 3.0]]), SIZE, 1.0, SETTINGS)
    left, top, right, _ = pixels(crop)
    assert (right - left, top) == (pytest.approx(64.0, rel=0.01), pytest.approx(0.0))
    assert right == pytest.approx(640.0, abs=0.1)


def test_a_region_outside_of_the_picture_or_behind_the_camera_is_refused():
    with pytest.raises(CalibrationError, match="a region within the picture of 640 x 480 pixels"):
        crop_around(np.array([[700.0, 10.0], [800.0, 20.0]]), SIZE, 1.0, SETTINGS)
    with pytest.raises(CalibrationError, match=r"found one 0\.200 m behind it"):
        pixels_of_points(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -0.2]]), np.eye(3))


def test_points_are_projected_by_the_pinhole():
    matrix = np.array([[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]])
    assert pixels_of_points(np.array([[0.1, -0.2, 0.5]]), matrix).tolist() == [[420.0, 40.0]]


def moving(spots, noise=2.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    pictures = np.full((len(spots), 96, 128, 3), 90.0) + rng.normal(0, noise, (len(spots), 96, 128, 3))
    for picture, (x, y) in zip(pictures, spots, strict=True):
        picture[y - 4 : y + 4, x - 4 : x + 4] = 220.0
    return np.clip(pictures, 0, 255).astype(np.uint8)


def test_the_crop_is_where_the_picture_changes_and_noise_is_no_change():
    spots = [(40, 30), (60, 30), (60, 60), (40, 60)]
    change = change_of(moving(spots))
    crop = crop_of_change(change, 1.0, SETTINGS)
    left, top, right, bottom = pixels(crop, (128, 96))
    assert change.shape == (96, 128)
    assert max(left - 38, top - 28) < 0
    assert min(right - 62, bottom - 62) > 0
    assert right - left < 60
    with pytest.raises(CalibrationError, match="does the camera see the tool"):
        crop_of_change(change_of(moving(spots[:1] * 4)), 1.0, SETTINGS)


def test_a_few_pixels_far_away_do_not_widen_it():
    pictures = moving([(40, 30), (60, 30), (60, 60), (40, 60)])
    wide = pictures.copy()
    wide[1, 90, 120] = 255
    wide_crop = crop_of_change(change_of(wide), 1.0, replace(SETTINGS, quantile=0.01))
    all_of_it = crop_of_change(change_of(wide), 1.0, replace(SETTINGS, quantile=0.0))
    assert wide_crop.width < all_of_it.width
