"""The status that the console shows to the person beside the robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from steadyhand.actor.events import EpisodeLogged, Waiting

__all__ = ["Console", "Status"]


@dataclass(frozen=True)
class Status:
    """Online training at one moment."""

    waiting: str  # reason why the robot does not move; "" while it does
    in_control: str  # `policy`, `person` or `nobody`
    episode: int  # finished ones of this run
    env_steps: int
    max_env_steps: int
    control_minutes: float
    robot_minutes: float  # with the resets
    success_window: int  # episodes that the shares below are over
    success_alone: float  # share of episodes that succeeded unassisted
    success_helped: float  # share that succeeded with an intervention
    intervention_rate: float  # share of episodes with an intervention
    updates: int
    utd_ratio: float  # measured: updates / control steps of the run, of every actor
    policy_version: int
    policy_age_s: float
    step_rate_hz: float
    overruns: int
    learner_phase: str
    connected: bool
    quarantined: int = 0  # records that the learner leaves out, damaged or unfit


class Console(Protocol):
    """Shows the progress of training as a subscriber of a run's events. It must not delay the control loop."""

    def start(self, status: Callable[[], Status]) -> None:
        """Begin; `status` may be called at any time, from any thread, until `close`."""

    def episode_done(self, event: EpisodeLogged) -> None:
        """Take in the end of an episode."""

    def waiting(self, event: Waiting) -> None:
        """Take in a new reason why the robot does not move; an empty one ends the wait."""

    def close(self) -> None:
        """Show the last state and restore the terminal."""
