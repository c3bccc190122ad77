"""The end conditions of online training: a request, a broken log, enough steps, graduation, and time."""

from __future__ import annotations

from collections.abc import Callable

from steadyhand.actor.config import ActorConfig
from steadyhand.actor.control_loop import INTERRUPTED
from steadyhand.actor.episode_metrics import EpisodeMetrics
from steadyhand.actor.session_log import Session

__all__ = ["EndConditions"]


class EndConditions:
    """The conditions of one run; the first one that holds is the reason to end.

    Args:
        config: Their numbers.
        session: The log.
        metrics: The episodes so far.
        stop: Returns whether an end was requested.
        wall_s: Returns the time since the start [s].
    """

    def __init__(
        self,
        config: ActorConfig,
        session: Session,
        metrics: EpisodeMetrics,
        stop: Callable[[], bool],
        wall_s: Callable[[], float],
    ) -> None:
        self._config, self._session, self._metrics, self._stop, self._wall_s = config, session, metrics, stop, wall_s

    def reason(self) -> str:
        """Return the reason to end; "" while no condition holds."""
        graduation, env_steps = self._config.graduation, self._metrics.env_steps
        if self._stop():
            return INTERRUPTED
        if broken := self._session.broken():
            return broken
        if env_steps >= self._config.max_env_steps:
            return "max_env_steps"
        if graduation is not None and self._metrics.history.graduated(graduation, env_steps):
            return "graduated"
        return "max_wall_s" if self._wall_s() >= self._config.max_wall_s else ""

    def any_holds(self) -> bool:
        """Return whether there is a reason to end."""
        return bool(self.reason())
