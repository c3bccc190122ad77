import numpy as np
import pytest

from steadyhand.calibrate.latency import LatencyStep
from steadyhand.calibration.chirp import Chirp
from steadyhand.calibration.delay import delay_between, smooth_values
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.config import compose

STEP = build(LatencyStep, compose(["+calibrate=latency"])["calibrate"], "calibrate")
WORST_S = 0.005


def moved(chirp: Chirp, times_s) -> np.ndarray:
    return np.array([chirp.offset(t)[1] for t in times_s])


def times(rng, period_s: float, jitter: float, end_s: float) -> np.ndarray:
    steps = period_s * (1.0 + rng.uniform(-jitter, jitter, round(1.2 * end_s / period_s)))
    found = np.cumsum(steps)
    return found[found < end_s]


def delayed(seed: int):
    """Return a delay, the leader and the follower of one draw: other periods, jitter, noise and scale."""
    rng = np.random.default_rng(seed)
    delay_s = rng.uniform(0.0, 0.2)
    end_s = STEP.chirp.duration_s + STEP.tail_s
    leads, sees = times(rng, rng.uniform(0.01, 0.05), 0.1, end_s), times(rng, rng.uniform(1 / 60, 1 / 20), 0.3, end_s)
    position = moved(STEP.chirp, sees - delay_s) / STEP.chirp.amplitude_m
    first = rng.choice([-3.0, 0.2, 8.0]) * (position + rng.uniform(0.0, 0.4) * position**2) + rng.uniform(-5, 5)
    channels = np.stack([first, 0.3 * abs(first).mean() * position**2], axis=1)
    channels += rng.normal(0.0, 0.1, channels.shape) * channels.std(axis=0)
    values = moved(STEP.chirp, leads) + rng.normal(0.0, 0.0002, len(leads))
    return delay_s, (leads, values), (sees, channels)


def found(leader, follower, **changed) -> float:
    arguments = {
        "max_delay_s": STEP.max_delay_s,
        "step_s": STEP.step_s,
        "min_correlation": STEP.min_correlation,
        "degree": STEP.degree,
    }
    return delay_between(leader, follower, **(arguments | changed)).delay_s


def test_over_50_draws_the_delay_is_found_within_5_ms():
    errors = []
    for seed in range(50):
        delay_s, leader, follower = delayed(seed)
        errors.append(found(leader, follower) - delay_s)
    assert np.abs(errors).max() < WORST_S, np.round(1e3 * np.array(errors), 2)


def test_without_the_refinement_by_a_parabola_it_would_not_be_below_the_step():
    """The twin: candidates 20 ms apart need the parabola, and the best candidate alone misses by more."""
    refined, coarse = [], []
    for seed in range(20):
        delay_s, leader, follower = delayed(seed)
        result = delay_between(
            leader, follower, STEP.max_delay_s, step_s=0.02, min_correlation=STEP.min_correlation, degree=STEP.degree
        )
        refined.append(abs(result.delay_s - delay_s))
        coarse.append(abs(result.lags_s[result.correlations.argmax()] - delay_s))
    assert max(refined) < WORST_S < max(coarse)


def test_a_leader_after_the_follower_and_a_longer_delay_are_refused():
    _, leader, (sees, channels) = delayed(0)
    for shift_s in (-0.5, 0.7):
        with pytest.raises(CalibrationError, match=r"at the end of that range|follows the motion"):
            found(leader, (sees + shift_s, channels))


def test_a_view_that_does_not_follow_is_refused():
    _, leader, (sees, channels) = delayed(0)
    noise = np.random.default_rng(0).normal(size=channels.shape)
    with pytest.raises(CalibrationError, match=r"follows the motion with a correlation of 0\.8, found 0\.[0-4]"):
        found(leader, (sees, noise))
    with pytest.raises(CalibrationError, match=r"found 0\.00"):
        found(leader, (sees, np.ones_like(channels)))


def test_too_few_frames_and_an_arm_that_stands_still_are_refused():
    _, (leads, values), (sees, channels) = delayed(0)
    few = sees > sees[-1] - 0.3
    with pytest.raises(CalibrationError, match="at least 20 readings of the signal during the motion"):
        found((leads, values), (sees[few], channels[few]))
    with pytest.raises(CalibrationError, match="let it move longer"):
        found((leads, np.zeros_like(values)), (sees, channels))


def test_a_smooth_signal_is_interpolated_to_a_fraction_of_its_steps():
    coarse, fine = np.arange(0.0, 8.0, 0.05), np.arange(1.0, 7.0, 0.003)
    error = smooth_values(coarse, moved(STEP.chirp, coarse), fine) - moved(STEP.chirp, fine)
    linear = np.interp(fine, coarse, moved(STEP.chirp, coarse)) - moved(STEP.chirp, fine)
    assert np.abs(error).max() < 0.3 * np.abs(linear).max()
