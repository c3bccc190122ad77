import numpy as np
import pytest

from steadyhand.calibration.push import PushSettings, sign_of_push
from steadyhand.runtime.calibration_file import CalibrationError

SETTINGS = PushSettings(5.0, 0.7)
X = np.array([1.0, 0.0, 0.0])
PUSH = np.array([[0.5, 0.1, 0.0], [6.0, 1.0, 0.5], [12.0, -2.0, 1.0], [7.0, 0.0, 0.0]])


@pytest.mark.parametrize("sign", [1, -1])
def test_the_sign_is_that_of_the_push(sign):
    found = sign_of_push(sign * PUSH, X, SETTINGS)
    assert (found.sign, found.force_n) == (sign, pytest.approx(np.linalg.norm(PUSH[2])))
    assert found.angle_rad < 0.2


@pytest.mark.parametrize(
    ("forces", "expected"),
    [
        (0.3 * PUSH, "a push of at least 5 N, found 3"),
        (PUSH[:, [1, 0, 2]], "within 0.70 rad of \\+x, found it at 1"),
        (np.zeros((0, 3)), "found 0.0 N; push harder"),
    ],
)
def test_a_weak_or_oblique_push_is_refused(forces, expected):
    with pytest.raises(CalibrationError, match=expected):
        sign_of_push(forces, X, SETTINGS)
