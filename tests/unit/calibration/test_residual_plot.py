import io

import numpy as np
from PIL import Image

from steadyhand.calibration.residual_plot import residual_picture


def drawn(residuals):
    pixels = np.stack(np.meshgrid(np.arange(20.0, 300.0, 40.0), np.arange(20.0, 200.0, 40.0)), axis=-1).reshape(-1, 2)
    raw = residual_picture(320, 240, pixels, np.tile(residuals, (len(pixels), 1)))
    image = np.asarray(Image.open(io.BytesIO(raw)))
    return image.shape, np.argwhere((image[:240] == (196, 60, 50)).all(axis=-1))


def test_the_picture_has_the_cameras_size_and_arrows_in_the_residuals_direction():
    shape, right = drawn([0.1, 0.0])
    assert shape == (262, 320, 3)
    _, down = drawn([0.0, 0.1])
    assert np.ptp(right[:, 1]) > np.ptp(down[:, 1])
    assert np.ptp(down[:, 0]) > np.ptp(right[:, 0])


def test_no_error_at_all_can_be_drawn():
    assert len(drawn([0.0, 0.0])[1]) > 0
