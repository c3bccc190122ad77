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

__all__ = ["Delay", "delay_between", "smooth_values"]

BELOW_ZERO_STEPS = 4  # candidates below 0, so that a delay of 0 has neighbours
MIN_SAMPLES = 20


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


def delay_between(
    leader: tuple[Array, Array],
    follower: tuple[Array, Array],
    max_delay_s: float,
    *,
    step_s: float,
    min_correlation: float,
    degree: int = 1,
    what: str = "signal",
) -> Delay:
    """Return the delay at which the leader explains the follower best.

    At every candidate delay, the follower's channels are regressed on powers of the leader at (t - delay); the
    correlation is the root of the share of their variance that this explains. With one channel and degree 1 that is the
    size of Pearson's coefficient, so an unknown scale, offset and sign have no effect. The best candidate is refined by
    a parabola. Powers of the position bend the path of a picture that moves far, but cannot shift it in time; more
    channels on the leader's side, such as the orientation, could.

    Args:
        leader: Times [s] and values of the signal that comes first, which is smooth. Shapes (n,) and (n,).
        follower: Times [s] and channels of the signal that comes later. Shapes (m,) and (m, k).
        max_delay_s: Largest delay.
        step_s: Distance of the candidates.
        min_correlation: Least correlation of a valid result.
        degree: Highest power of the leader.
        what: Name of the follower, for messages.

    Raises:
        CalibrationError: The signals overlap too little, the follower does not follow, or not within `max_delay_s`.
    """
    times, values = leader
    at, channels = follower
    chosen = (at >= times[0] + max_delay_s) & (at <= times[-1] - BELOW_ZERO_STEPS * step_s)
    at, channels = at[chosen], channels[chosen]
    if len(at) < MIN_SAMPLES or not values.std() > 0.0:
        raise CalibrationError(
            f"latency: expected at least {MIN_SAMPLES} readings of the {what} during the motion, found {len(at)}; "
            "let it move longer, or read faster"
        )
    scaled = (values - values.mean()) / values.std()
    centred = channels - channels.mean(axis=0)
    lags: Array = np.arange(-BELOW_ZERO_STEPS, round(max_delay_s / step_s) + 1, dtype=np.float64) * step_s
    correlations = np.array([_correlation(smooth_values(times, scaled, at - lag), centred, degree) for lag in lags])
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


def _correlation(leader: Array, channels: Array, degree: int) -> float:
    """Return the root of the share of the variance of channels (m, k) that powers of the leader (m,) explain."""
    powers = leader[:, None] ** np.arange(1, degree + 1)
    basis, _ = np.linalg.qr(powers - powers.mean(axis=0))
    total = float(np.sum(channels**2))
    return float(np.sqrt(np.sum((basis.T @ channels) ** 2) / total)) if total > 0.0 else 0.0
