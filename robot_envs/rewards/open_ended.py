"""The task's verdict of every step without an end of the episode at success, for recorded examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steadyhand.robot_envs.rewards.reward import Observation, Reward, Score
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome

__all__ = ["OpenEndedReward"]


class OpenEndedReward(Reward):
    """Reward of 1 in each step in which the task is done, else 0. It never ends an episode.

    `steadyhand reward record` uses it, because an episode that ended at success would show it in one picture alone.
    """

    def score(
        self, observation: Observation, state: RobotState | None, outcome: Outcome, info: Mapping[str, Any]
    ) -> Score:
        """Return the task's verdict as the reward, and no success."""
        return Score(float(outcome.success), False)
