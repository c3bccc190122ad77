"""Watch on practice: it reports when unassisted success falls below that of the first episodes."""

from __future__ import annotations

from steadyhand.learner.episodes import Episodes
from steadyhand.runtime.logging import get_logger

__all__ = ["SuccessWatch"]

FALL = 0.25  # of the success rate: more than twenty episodes vary by chance

logger = get_logger("learner.success_watch")


class SuccessWatch:
    """Reports a fall once, and its end once."""

    def __init__(self) -> None:
        self._has_fallen = False

    def look(self, episodes: Episodes) -> None:
        """Compare the first with the newest episodes."""
        rates = episodes.success_alone()
        if rates is None:
            return
        first, newest = rates
        if not self._has_fallen and newest < first - FALL:
            logger.warning(
                "practice makes the policy worse: unassisted success was %.0f %% in the first episodes and is now "
                "%.0f %%; the policy before practice is in the run's folder start",
                100 * first,
                100 * newest,
            )
            self._has_fallen = True
        elif self._has_fallen and newest >= first:
            logger.warning("unassisted success is back at %.0f %%", 100 * newest)
            self._has_fallen = False
