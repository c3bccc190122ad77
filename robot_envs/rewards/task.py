"""The task's own outcome as the reward: the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from steadyhand.robot_envs.rewards.reward import Observation, Reward, Score
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome

__all__ = ["TaskReward"]


class TaskReward(Reward):
    """Reward that returns the outcome of the task, or of the foreign environment, unchanged."""

    judges: ClassVar[bool] = False

    def score(
        self, observation: Observation, state: RobotState | None, outcome: Outcome, info: Mapping[str, Any]
    ) -> Score:
        """Return the outcome as the score, without terms: the task's terms are recorded in any case."""
        return Score(outcome.reward, outcome.success)
