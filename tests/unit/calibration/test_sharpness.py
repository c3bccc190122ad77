import numpy as np
import pytest

from steadyhand.calibration.board import find_markers, grey
from steadyhand.calibration.sharpness import edge_width, sampled
from tests.board_kit import BOARD, facing, renderer

pytest.importorskip("cv2")


def width(blur_px):
    shades = grey(renderer().render(facing(distance_m=0.3), blur_px))
    return edge_width(shades, find_markers(BOARD, shades)[0])


def test_the_width_grows_with_the_blur():
    widths = [width(blur_px) for blur_px in (0.0, 0.7, 1.2)]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] > 1.5 * widths[0]


def test_a_gaussian_blur_has_the_width_that_theory_gives():
    step = np.tile(np.where(np.arange(80) < 40, 0, 255).astype(np.uint8), (80, 1))
    import cv2

    blurred = cv2.GaussianBlur(step, (0, 0), 2.0)
    square = np.array([[[40.0 - 0.5, 10.0], [39.5, 60.0], [89.5, 60.0], [89.5, 10.0]]])
    left_edge_alone = edge_width(blurred, np.repeat(square[:, [0, 1]], 2, axis=1).reshape(1, 4, 2)[:, [0, 2, 1, 3]])
    assert left_edge_alone == pytest.approx(2.0 * np.sqrt(2.0 * np.pi), rel=0.1)


def test_sampling_is_bilinear():
    shades = np.array([[0, 100], [50, 150]], np.uint8)
    places = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]])
    assert sampled(shades, places) == pytest.approx([0.0, 50.0, 25.0, 75.0])
