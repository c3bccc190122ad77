import numpy as np
import pytest

from steadyhand.calibration.seen_motion import motion_channels


def picture(x_px: float, noise: np.ndarray, still: bool = False) -> np.ndarray:
    """A bright disc at a column, before a background that stands still; or everything shifted, as at a wrist."""
    row, column = np.mgrid[0:48, 0:64]
    if still:
        grey = 120.0 + 60.0 * np.sin((column - x_px) / 7.0) * np.cos(row / 5.0)
    else:
        grey = 60.0 + row + 120.0 / (1.0 + np.exp(np.minimum((column - 32 - x_px) ** 2 + (row - 20) ** 2 - 60.0, 30.0)))
    return np.clip(np.repeat(grey[:, :, None], 3, axis=2) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("still", [True, False])
def test_the_first_channel_follows_a_disc_and_a_shift_of_the_whole_picture(still):
    rng = np.random.default_rng(0)
    motion = 3.0 * np.sin(np.linspace(0.0, 12.0, 120))
    pictures = np.array([picture(x, rng.normal(0, 4, (48, 64, 3)), still) for x in motion])
    channels = motion_channels(pictures, 3)
    assert channels.shape == (120, 3)
    assert abs(np.corrcoef(channels[:, 0], motion)[0, 1]) > 0.98


def test_channels_come_by_size_and_of_two_pictures_there_are_two():
    pictures = np.random.default_rng(0).integers(0, 255, (2, 5, 300, 3)).astype(np.uint8)
    assert motion_channels(pictures, 4).shape == (2, 2)
