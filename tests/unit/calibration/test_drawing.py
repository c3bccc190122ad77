import io

import numpy as np
from PIL import Image

from steadyhand.calibration.drawing import COLOURS, MARK, curves_png, rectangle_png
from steadyhand.robot_envs.camera import Crop


def opened(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_rectangle_is_where_the_crop_is():
    shown = opened(rectangle_png(np.zeros((64, 128, 3), np.uint8), Crop(0.25, 0.5, 0.5, 0.25)))
    rows, columns = np.nonzero((shown == MARK).all(axis=2))
    height, width = shown.shape[:2]
    assert height >= 256
    assert (columns.min() / width, rows.min() / height) == (0.25, 0.5)
    assert abs(columns.max() / width - 0.75) < 0.01
    assert abs(rows.max() / height - 0.75) < 0.01


def test_every_curve_has_its_own_colour():
    x = np.linspace(0.0, 0.5, 50)
    shown = opened(curves_png({"a": (x, x), "b": (x, 1 - x)}, {"a": 0.1, "b": 0.2}, "s"))
    assert all((shown == colour).all(axis=2).sum() > 100 for colour in COLOURS[:2])
    assert not (shown == COLOURS[2]).all(axis=2).any()
