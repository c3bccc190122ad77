"""Confirmation of a success over several steps, so that a single wrong picture is no success."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["Confirmation", "steps_of"]


class Confirmation:
    """Confirmation by k positive steps among the newest n, kept for a number of further steps.

    Args:
        confirm_steps: k, the positive steps that are needed.
        window_steps: n, the newest steps in which they are counted.
        hold_steps: Steps for which the count has to stay that high before the success is confirmed.
    """

    def __init__(self, confirm_steps: int, window_steps: int, hold_steps: int) -> None:
        self._confirm_steps, self._hold_steps = confirm_steps, hold_steps
        self._window: deque[bool] = deque(maxlen=window_steps)
        self._streak = 0

    def begin(self) -> None:
        """Forget the steps of the previous episode."""
        self._window.clear()
        self._streak = 0

    def add(self, positive: bool) -> bool:
        """Take a step; return whether the success is confirmed at this step."""
        self._window.append(positive)
        enough = sum(self._window) >= self._confirm_steps
        self._streak = self._streak + 1 if enough else 0
        return self._streak > self._hold_steps


def steps_of(time_s: float, control_period_s: float) -> int:
    """Return the number of control steps that last at least `time_s` [s]."""
    return math.ceil(time_s / control_period_s - 1e-9)
