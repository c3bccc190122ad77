import numpy as np
import pytest

from steadyhand.calibration.orientation import angles_from, mean_quat
from tests.cell_kit import DOWN, tilts, turned


def test_the_mean_of_symmetric_tilts_is_upright_whatever_the_signs_are():
    around = np.concatenate([tilts(0.4)[:, :2], np.zeros((8, 1))], axis=1)
    quats = turned(around) * np.array([1, -1] * 4)[:, None]
    assert angles_from(DOWN, mean_quat(quats)[None])[0] == pytest.approx(0.0, abs=1e-9)


def test_angles_are_those_of_the_turns():
    rotvecs = np.array([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0], [0.0, -3.0, 0.0], [0.0, 0.0, 4.0]])
    assert np.allclose(angles_from(DOWN, turned(rotvecs)), [0.0, 0.3, 3.0, 2 * np.pi - 4.0])
