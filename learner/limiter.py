"""Keeps the number of gradient updates in step with the number of environment transitions."""

from __future__ import annotations

import math

__all__ = ["UpdateLimiter"]


class UpdateLimiter:
    """Holds updates <= utd_ratio * transitions + slack. Updates of pretraining are not counted.

    On hardware only the learner waits. In a lockstep simulation the actor waits too, by `transitions_allowed`; the two
    bounds overlap, so that the two never wait at the same time.

    Args:
        utd_ratio: Gradient updates per environment transition.
        slack: Updates that the learner may be ahead.
        block: Updates in one block.
        start_transitions: Transitions before the first update.
    """

    def __init__(self, utd_ratio: float, slack: float, block: int, start_transitions: int) -> None:
        if utd_ratio <= 0.0 or slack < 0.0:
            raise ValueError(f"limiter: expected utd_ratio > 0 and slack >= 0, found {utd_ratio} and {slack}")
        self._utd_ratio = utd_ratio
        self._slack = slack
        self._block = block
        self._start_transitions = start_transitions

    def may_update(self, transitions: int, updates: int) -> bool:
        """Return whether the next block of updates is due."""
        enough = transitions >= self._start_transitions
        return enough and updates + self._block <= self._utd_ratio * transitions + self._slack

    def transitions_allowed(self, updates: int) -> int:
        """Transitions that a lockstep actor may have made, over all sessions, before it waits for updates."""
        reached = math.floor((updates + self._slack + self._block) / self._utd_ratio) + 1
        return max(reached, self._start_transitions)


def true_utd(transitions: int, updates: int) -> float:
    """Return the measured ratio of updates to transitions; 0 before the first transition."""
    return updates / transitions if transitions else 0.0
