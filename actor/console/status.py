"""What the person beside the robot is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from steadyhand.actor.events import EpisodeLogged, Waiting

__all__ = ["Console", "Status"]


@dataclass(frozen=True)
class Status:
    """Practice at one moment."""

    waiting: str  # why nothing moves; "" while something does
    in_control: str  # policy | person | nobody
    episode: int  # finished ones of this run
    env_steps: int
    max_env_steps: int
    control_minutes: float
    success_window: int  # episodes that the shares below are over
    success_alone: float  # share of episodes that succeeded without help
    success_helped: float  # share that succeeded with help
    intervention_rate: float  # share of episodes with help
    updates: int
    utd_ratio: float  # true one: updates / control steps of the run, of every actor
    policy_version: int
    policy_age_s: float
    step_rate_hz: float
    overruns: int
    learner_phase: str
    connected: bool


class Console(Protocol):
    """Shows how training goes: a subscriber of a run's events. Nothing here may hold up the control loop."""

    def start(self, status: Callable[[], Status]) -> None:
        """Begin; `status` may be called at any time, from any thread, until `close`."""

    def episode_done(self, event: EpisodeLogged) -> None:
        """An episode has ended."""

    def waiting(self, event: Waiting) -> None:
        """Nothing moves, for another reason than before; an empty one ends the wait."""

    def close(self) -> None:
        """Show the last state and leave the terminal as it was."""
