"""Watch on a learned reward: it compares the reward's opinion with the operator's verdicts on running episodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from steadyhand.runtime.logging import get_logger

__all__ = ["VerdictWatch"]

NEWEST = 20  # verdicts over which the agreement is taken
FEWEST = 5  # verdicts from which on it is reported
LEAST = 0.8  # agreement below which the reward misleads the policy
UNSURE = 0.5

logger = get_logger("actor.verdicts")


class VerdictWatch:
    """Reports an agreement that falls, once, and its return, once. Only a reward with its own verdict is compared.

    An operator's success while the reward holds it for unlikely is a disagreement, and so is an operator's failure in
    the step in which the reward confirms a success or holds it for likely.
    """

    def __init__(self) -> None:
        self._agreed: deque[bool] = deque(maxlen=NEWEST)
        self._has_fallen = False

    @property
    def agreement(self) -> float | None:
        """Share of the newest verdicts with which the reward agrees; None before the first one."""
        return sum(self._agreed) / len(self._agreed) if self._agreed else None

    def compare(self, success: bool, info: Mapping[str, Any]) -> None:
        """Take an operator's verdict, and the environment's own info of the step at which it was given."""
        if info.get("judged_by") != "reward":
            return
        # The confidence is that of the reward's own verdict: of "no success" while it has confirmed none.
        says = bool(info.get("success")) or float(info.get("reward_confidence", 1.0)) < UNSURE
        self._agreed.append(says == success)
        agreement = self.agreement
        if agreement is None or len(self._agreed) < FEWEST:
            return
        if not self._has_fallen and agreement < LEAST:
            self._has_fallen = True
            logger.warning(
                "reward: expected it to agree with at least %.0f %% of the operator's verdicts, found %d of the newest "
                "%d; check it with `steadyhand reward check`, and train it with the episodes on which it is wrong",
                100 * LEAST,
                sum(self._agreed),
                len(self._agreed),
            )
        elif self._has_fallen and agreement >= LEAST:
            self._has_fallen = False
            logger.warning("reward: it agrees with the operator's verdicts again (%.0f %%)", 100 * agreement)
