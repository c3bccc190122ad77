import numpy as np
import pytest

from steadyhand.robot_envs.cameras.depth import depth_from_bytes, depth_to_bytes, depth_to_range

UNIT_M = 0.0001


def test_bytes_keep_every_value_of_16_bits():
    depth = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    pixels = depth_to_bytes(depth)
    assert (pixels.shape, pixels.dtype) == ((256, 256, 3), np.uint8)
    assert (depth_from_bytes(pixels) == depth).all()
    assert (pixels[0x12, 0x34] == (0x12, 0x34, 0)).all()


@pytest.mark.parametrize(
    ("depth_m", "grey"), [(0.0, 0), (0.05, 1), (0.07, 1), (0.285, 128), (0.5, 255), (3.0, 255)]
)  # fmt: skip
def test_a_range_is_linear_and_0_means_no_depth(depth_m, grey):
    pixels = depth_to_range(np.full((2, 3), round(depth_m / UNIT_M), np.uint16), UNIT_M, 0.07, 0.5)
    assert (pixels.shape, pixels.dtype) == ((2, 3, 3), np.uint8)
    assert (pixels == grey).all()


def test_the_error_of_a_range_is_half_a_step():
    depth = np.arange(700, 5001, dtype=np.uint16)[None]
    grey = depth_to_range(depth, UNIT_M, 0.07, 0.5)[..., 0].astype(float)
    error_m = np.abs(0.07 + (grey - 1) / 254 * 0.43 - depth * UNIT_M)
    assert error_m.max() <= 0.43 / 254 / 2 + 1e-6
