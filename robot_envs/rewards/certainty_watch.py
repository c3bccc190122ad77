"""Watch on a classifier's certainty: it falls when the pictures are no longer like those of its training."""

from __future__ import annotations

import math
from collections import deque

from steadyhand.runtime.logging import get_logger

__all__ = ["CertaintyWatch"]

logger = get_logger("reward.certainty")


class CertaintyWatch:
    """Reports a fall of the mean certainty once, and its end once. Certainty is max(p, 1 - p), 0.5..1.

    Args:
        usual: Mean certainty on the episodes that were held out in training.
        margin: Fall of the mean that is reported.
        steps: Newest steps over which the mean is taken.
    """

    def __init__(self, usual: float, margin: float, steps: int) -> None:
        self._usual, self._margin = usual, margin
        self._newest: deque[float] = deque(maxlen=steps)
        self._sum = 0.0
        self._has_fallen = False

    @property
    def has_fallen(self) -> bool:
        """True while the mean is too low."""
        return self._has_fallen

    def add(self, probability: float) -> None:
        """Take the probability of one step."""
        certainty = max(probability, 1.0 - probability) if math.isfinite(probability) else 0.5
        if self._newest.maxlen is not None and len(self._newest) == self._newest.maxlen:
            self._sum -= self._newest[0]
        self._newest.append(certainty)
        self._sum += certainty
        if len(self._newest) < (self._newest.maxlen or 0):
            return
        mean = self._sum / len(self._newest)
        if not self._has_fallen and mean < self._usual - self._margin:
            self._has_fallen = True
            logger.warning(
                "reward: expected a classifier as certain as on its held-out episodes (%.2f), found %.2f over %d "
                "steps; compare light and camera with the recorded ones, or train it with newer examples",
                self._usual,
                mean,
                len(self._newest),
            )
        elif self._has_fallen and mean >= self._usual - self._margin / 2:
            self._has_fallen = False
            logger.warning("reward: the classifier is as certain as before (%.2f)", mean)
