import numpy as np
import pytest

from steadyhand.calibration.conditioning import amplification


def test_orthogonal_readings_amplify_by_the_root_of_their_number_over_the_weakest_column():
    system = np.diag([4.0, 2.0, 0.5])
    assert amplification(system, 9) == pytest.approx(3.0 / 0.5)


def test_readings_that_leave_a_direction_open_amplify_without_bound():
    assert amplification(np.array([[1.0, 0.0], [2.0, 0.0]]), 2) > 1e9
