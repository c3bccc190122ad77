"""Small statistics of episodes, as pure functions."""

from __future__ import annotations

import math

__all__ = ["Z_95", "wilson_interval"]

Z_95 = 1.959963984540054  # two-sided 95 % quantile of the standard normal


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a success rate; (0, 1) without trials.

    Unlike the normal approximation it stays within [0, 1], and its width is above zero when every trial succeeded.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes: expected 0 to {trials} trials, found {successes}")
    if trials == 0:
        return 0.0, 1.0
    rate = successes / trials
    shrink = 1.0 / (1.0 + z * z / trials)
    centre = (rate + z * z / (2 * trials)) * shrink
    half = z * shrink * math.sqrt(rate * (1.0 - rate) / trials + z * z / (4 * trials * trials))
    # At the ends the bound is exact; rounding would leave 1e-17 there.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high
