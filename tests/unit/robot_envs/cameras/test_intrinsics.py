import numpy as np
import pytest

from steadyhand.robot_envs.camera import WHOLE, Crop
from steadyhand.robot_envs.cameras.intrinsics import Intrinsics

WHOLE_PICTURE = Intrinsics(480, 640, 380.0, 381.0, 318.0, 242.0, "brown_conrady", (0.0,) * 5)
POINTS = np.random.default_rng(0).uniform((-0.1, -0.1, 0.3), (0.1, 0.1, 0.6), (20, 3))


def projected(intrinsics, points):
    return np.stack(
        [
            intrinsics.fx * points[:, 0] / points[:, 2] + intrinsics.cx,
            intrinsics.fy * points[:, 1] / points[:, 2] + intrinsics.cy,
        ],
        axis=1,
    )


def test_a_view_of_the_whole_picture_at_its_size_has_the_same():
    assert WHOLE_PICTURE.of_view(WHOLE, 480, 640) == WHOLE_PICTURE


def test_points_appear_in_a_view_where_crop_and_resize_move_their_pixels():
    view = WHOLE_PICTURE.of_view(Crop(0.25, 0.5, 0.5, 0.25), 60, 80)
    edges = projected(WHOLE_PICTURE, POINTS) + 0.5  # from the picture's upper left edge
    expected = (edges - (160, 240)) * (80 / 320, 60 / 120) - 0.5
    assert projected(view, POINTS) == pytest.approx(expected)
    assert (view.height, view.width) == (60, 80)
