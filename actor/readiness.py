"""The readiness of an online run for its next episode: room for its records, and weights to act with."""

from __future__ import annotations

import shutil

from steadyhand.actor.episode_metrics import EpisodeMetrics
from steadyhand.actor.online_settings import OnlineSettings
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.session_log import Session
from steadyhand.transport.uplink import Progress

__all__ = ["Readiness"]


class Readiness:
    """The conditions under which an episode may begin.

    Args:
        settings: Their numbers.
        session: The log.
        metrics: The episodes so far.
        explore_until: Environment steps up to which the robot explores without weights.
    """

    def __init__(self, settings: OnlineSettings, session: Session, metrics: EpisodeMetrics, explore_until: int) -> None:
        self._settings, self._session, self._metrics = settings, session, metrics
        self._explore_until = explore_until

    def reason_to_wait(self, runner: PolicyRunner, progress: Progress) -> str:
        """Return what is missing, as the person reads it; "" when the next episode may begin."""
        settings, session = self._settings, self._session
        max_age_s = settings.actor.max_policy_age_s
        learner = progress.learner_phase if progress.connected else "not connected"
        if session.waiting_bytes(progress.durable_seq) >= settings.quota_bytes:
            quota = f"{settings.quota_bytes / 1e6:.0f} MB of records wait for it, transport.quota_bytes"
            return f"the learner to take what is in the log (learner: {learner}; {quota})"
        if shutil.disk_usage(session.folder).free < settings.min_free_bytes:
            return f"room on the disk of {session.folder} (transport.min_free_bytes)"
        if not session.writer.has_room():
            return f"room on the disk of {session.folder} for the log's next file"
        if not runner.ready and self._metrics.env_steps >= self._explore_until:
            hint = "" if learner != "waiting" else "; without demonstrations raise actor.exploration.max_env_steps"
            return f"the first weights (learner: {learner}{hint})"
        if runner.ready and max_age_s is not None and runner.age_s > max_age_s:
            return f"weights younger than {max_age_s:.0f} s (learner: {learner})"
        return ""
