import numpy as np
import pytest

from steadyhand.calibration.payload import PayloadSettings, payload_from_wrenches
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose
from tests.cell_kit import tilts, turned, weight_wrench

SETTINGS = build(PayloadSettings, compose(["+calibrate=wrench"])["calibrate"]["payload"], "payload")
MASS, CENTRE = 0.83, np.array([0.01, -0.02, -0.06])
BIAS = np.array([1.5, -2.0, 0.7, 0.05, -0.1, 0.02])
QUATS = turned(np.concatenate([tilts(0.35), np.zeros((1, 3))]))


def wrenches(mass=MASS, noise=0.0, seed=0, sign=1) -> np.ndarray:
    rows = np.array([sign * weight_wrench(quat, mass, CENTRE) for quat in QUATS]) + BIAS
    scale = np.repeat([1.0, 0.02], 3) * noise
    return rows + np.random.default_rng(seed).normal(0.0, 1.0, rows.shape) * scale


def test_exact_readings_give_mass_centre_and_bias():
    found = payload_from_wrenches(QUATS, wrenches(), SETTINGS)
    assert found.mass_kg == pytest.approx(MASS)
    assert np.allclose(found.centre_m, CENTRE)
    assert np.allclose(found.bias, BIAS)
    assert found.force_residual_n < 1e-9


def test_noise_of_a_mean_reading_leaves_the_mass_within_its_amplification():
    masses = [payload_from_wrenches(QUATS, wrenches(noise=0.07, seed=s), SETTINGS) for s in range(50)]
    error = np.array([found.mass_kg for found in masses]) - MASS
    assert np.sqrt(np.mean(error**2)) < masses[0].amplification * 0.07 / 9.80665
    assert np.allclose(np.mean([found.centre_m for found in masses], axis=0), CENTRE, atol=0.002)


def test_a_wrench_of_the_tool_on_the_environment_has_a_negative_mass():
    assert payload_from_wrenches(QUATS, wrenches(sign=-1), SETTINGS).mass_kg == pytest.approx(-MASS)


def test_without_a_weight_the_bias_is_the_mean_and_there_is_no_centre():
    found = payload_from_wrenches(QUATS, wrenches(mass=0.0), SETTINGS)
    assert found.centre_m is None
    assert np.allclose(found.bias, BIAS)


@pytest.mark.parametrize("rotvecs", [np.zeros((9, 3)), np.stack([np.zeros(9), np.zeros(9), np.arange(9) / 4], axis=1)])
def test_one_direction_of_gravity_is_refused_with_what_helps(rotvecs):
    with pytest.raises(CalibrationError, match="tilt the tool farther from upright, about two axes"):
        payload_from_wrenches(turned(rotvecs), wrenches(), SETTINGS)


def test_a_touch_and_too_few_readings_are_refused():
    touched = wrenches()
    touched[3, 0] += 8.0
    with pytest.raises(CalibrationError, match="nothing may touch the tool"):
        payload_from_wrenches(QUATS, touched, SETTINGS)
    with pytest.raises(CalibrationError, match="at least 6 orientations, found 5"):
        payload_from_wrenches(QUATS[:5], wrenches()[:5], SETTINGS)
