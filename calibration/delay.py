"""The delay of one signal behind another, below the sampling period.

UMI measures the latencies of cameras and arms by such a correlation (Chi et al. 2024, arXiv 2402.10329, appendix on
latency measurement). Here the correlation is computed at the times at which the late signal was sampled, so neither
signal needs a regular period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["Delay", "delay_between", "held_values", "smooth_values"]

BELOW_ZERO_STEPS = 4  # candidates below 0, so that a delay of 0 has neighbours


@dataclass(frozen=True)
class Delay:
    """Result of the correlation.

    Attributes:
        delay_s: Delay [s].
        correlation: Correlation at that delay, in [0, 1].
        lags_s: The delays that were tried. Shape (k,); [s].
        correlations: Correlation at each of them. Shape (k,).
    """

    delay_s: float
    correlation: float
    lags_s: Array
    correlations: Array


def smooth_values(times_s: Array, values: Array, at_s: Array) -> Array:
    """Return a signal at other times by cubic Hermite interpolation with Catmull-Rom slopes. Shapes (n,), (n,), (m,).

    Outside of the samples the first and the last value stay.
    """
    slopes = np.gradient(values, times_s)
    index = np.clip(np.searchsorted(times_s, at_s, side="right") - 1, 0, len(times_s) - 2)
    step = times_s[index + 1] - times_s[index]
    share = np.clip((at_s - times_s[index]) / step, 0.0, 1.0)
    square, cube = share**2, share**3
    found: Array = (
        (2.0 * cube - 3.0 * square + 1.0) * values[index]
        + (cube - 2.0 * square + share) * step * slopes[index]
        + (3.0 * square - 2.0 * cube) * values[index + 1]
        + (cube - square) * step * slopes[index + 1]
    )
    return found


def held_values(times_s: Array, values: Array, at_s: Array) -> Array:
    """Return a signal that keeps each value until the next one, as a commanded target does. Shapes (n,), (n,), (m,)."""
    index = np.clip(np.searchsorted(times_s, at_s, side="right") - 1, 0, len(times_s) - 1)
    found: Array = values[index]
    return found


def delay_between(
    leader: tuple[Array, Array],
    follower: tuple[Array, Array],
    max_delay_s: float,
    *,
    step_s: float,
    min_correlation: float,
    is_held: bool = False,
    what: str = "signal",
) -> Delay:
    """Return the delay at which the follower repeats the leader best.

    At every candidate delay, the leader at (t - delay) is regressed on the follower's channels; the correlation is the
    root of the share of its variance that they explain. With one channel that is the size of Pearson's coefficient: an
    unknown scale, offset and sign have no effect. The best candidate is refined by a parabola.

    Args:
        leader: Times [s] and values of the signal that comes first. Shapes (n,) and (n,).
        follower: Times [s] and channels of the signal that comes later. Shapes (m,) and (m, k).
        max_delay_s: Largest delay.
        step_s: Distance of the candidates.
        min_correlation: Least correlation of a valid result.
        is_held: True if the leader keeps each value until the next one; False = it is smooth.
        what: Name of the follower, for messages.

    Raises:
        CalibrationError: The signals overlap too little, the follower does not follow, or not within `max_delay_s`.
    """
    times, values = leader
    at, channels = follower
    chosen = (at >= times[0] + max_delay_s) & (at <= times[-1] - BELOW_ZERO_STEPS * step_s)
    at, channels = at[chosen], channels[chosen]
    n_needed = 10 * (channels.shape[1] + 1)
    if len(at) < n_needed or not values.std() > 0.0:
        raise CalibrationError(
            f"latency: expected at least {n_needed} readings of the {what} during the motion, found {len(at)}; "
            "let it move longer, or read faster"
        )
    channels = channels - channels.mean(axis=0)
    basis, sizes, _ = np.linalg.svd(channels, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * max(float(sizes[0]), 1e-300)]
    lags = np.arange(-BELOW_ZERO_STEPS, round(max_delay_s / step_s) + 1) * step_s
    value_at = held_values if is_held else smooth_values
    correlations = np.array([_correlation(value_at(times, values, at - lag), basis) for lag in lags])
    best = int(correlations.argmax())
    if correlations[best] < min_correlation:
        raise CalibrationError(
            f"latency: expected a {what} that follows the motion with a correlation of {min_correlation:g}, found "
            f"{correlations[best]:.2f}; does it see the moving tool, and nothing else that moves?"
        )
    if best in (0, len(lags) - 1):
        raise CalibrationError(
            f"latency: expected a delay of the {what} between 0 and {max_delay_s:g} s, found it at the end of that "
            "range; raise calibrate.max_delay_s, or check its time stamps"
        )
    before, peak, after = correlations[best - 1 : best + 2]
    bend = before - 2.0 * peak + after
    offset = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    return Delay(float(lags[best] + offset * step_s), float(peak), lags, correlations)


def _correlation(values: Array, basis: Array) -> float:
    """Return the multiple correlation of values (m,) with an orthonormal basis (m, k)."""
    centred = values - values.mean()
    size = float(centred @ centred)
    return float(np.sqrt(np.sum((basis.T @ centred) ** 2) / size)) if size > 0.0 else 0.0
