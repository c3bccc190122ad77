"""The result of online training."""

from __future__ import annotations

from dataclasses import dataclass

from steadyhand.actor.console import Status
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.episode_history import History
from steadyhand.actor.timing import Percentiles

__all__ = ["TrainingSummary", "summarise"]


@dataclass(frozen=True)
class TrainingSummary:
    """Result of online training. Counts and shares go over all starts of the run, times over this one."""

    end_reason: str  # max_env_steps | max_wall_s | graduated | interrupted | log: ...
    episodes: int
    env_steps: int
    control_minutes: float
    robot_minutes: float  # with the resets
    wall_s: float
    success_alone: float  # share of the newest episodes that succeeded unassisted
    intervention_share_last50: float  # human steps / steps of the newest 50 episodes
    updates: int
    utd_ratio: float
    policy_version: int
    rejected_weights: int
    overruns: int
    period: Percentiles
    compute: Percentiles


def summarise(
    end_reason: str, status: Status, history: History, loop: ControlLoop, rejected_weights: int, wall_s: float
) -> TrainingSummary:
    """Return the summary of online training that ended with `status`."""
    return TrainingSummary(
        end_reason=end_reason,
        episodes=status.episode,
        env_steps=status.env_steps,
        control_minutes=status.control_minutes,
        robot_minutes=status.robot_minutes,
        wall_s=wall_s,
        success_alone=status.success_alone,
        intervention_share_last50=history.intervention_share(),
        updates=status.updates,
        utd_ratio=status.utd_ratio,
        policy_version=status.policy_version,
        rejected_weights=rejected_weights,
        overruns=status.overruns,
        period=loop.period.percentiles(),
        compute=loop.compute.percentiles(),
    )
