"""The one place where a reward scores the steps of an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from gymnasium import spaces

from steadyhand.robot_envs.rewards.reward import LAST_STEP, Observation, Reward, Score, SeenField
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.build import ConfigError

__all__ = ["Judge", "Scoring"]

Judge = Literal["task", "reward", "operator"]  # source of a verdict on an episode


class Scoring:
    """Scoring of one environment by its reward; it keeps the task's own verdict beside the reward's.

    Args:
        reward: The reward component.
        task_terms: Names of the task's own terms. They are recorded beside the reward's.
        observed: The observation space: a Dict of Boxes.
        field_specs: Unit, frame and scale of observed fields by name.
        control_period_s: Time between two steps [s].
        task_latches: True if the task's success is kept for the rest of the episode, because the task would have ended
            the episode there.

    Raises:
        ConfigError: The reward reads a field that is not observed, or has a term with the name of a task's term.
    """

    def __init__(
        self,
        reward: Reward,
        task_terms: Sequence[str],
        observed: spaces.Space[Any],
        field_specs: Mapping[str, tuple[str, str, tuple[float, ...]]],
        control_period_s: float,
        task_latches: bool,
    ) -> None:
        twice = sorted({*task_terms} & {*reward.reward_terms})
        if twice:
            raise ConfigError(
                f"reward: expected terms that the task does not have, found {', '.join(twice)}; rename them in "
                f"{type(reward).__name__}"
            )
        assert isinstance(observed, spaces.Dict)
        frames = {name: frame for name, (_, frame, _) in field_specs.items()}
        reward.check(
            {
                name: SeenField(box.shape or (), np.dtype(box.dtype).name, frames.get(name, ""))
                for name, box in observed.spaces.items()
            }
        )
        reward.set_period(control_period_s)
        self._reward, self._task_latches = reward, task_latches
        self._task_success = False
        self.reward_terms = (*task_terms, *reward.reward_terms)

    @property
    def judges(self) -> bool:
        """True if the reward has its own verdict."""
        return self._reward.judges

    def begin(self, outcome: Outcome, task_judges: bool) -> dict[str, Any]:
        """Start an episode and return its part of the info. The reward scores nothing before the first step.

        Args:
            outcome: The task's outcome before the first step.
            task_judges: True if the task can evaluate success by itself.
        """
        self._reward.begin()
        self._task_success = False
        return self._facts(Score(outcome.reward, outcome.success), outcome, task_judges)

    def score(
        self,
        observation: Observation,
        state: RobotState | None,
        outcome: Outcome,
        info: Mapping[str, Any],
        task_judges: bool,
        is_last: bool,
    ) -> tuple[Score, dict[str, Any]]:
        """Score a step; return the score and its part of the info. Arguments are as in `Reward.score` and `begin`.

        `is_last`: True if the episode ends with this step without regard to the score.
        """
        score = self._reward.score(observation, state, outcome, {**info, LAST_STEP: is_last})
        return score, self._facts(score, outcome, task_judges)

    def stopped(self, outcome: Outcome, task_judges: bool) -> tuple[Score, dict[str, Any]]:
        """Return the score of a step that ended in a stop: no reward, no success, every term zero."""
        score = Score(0.0, False, dict.fromkeys(self._reward.reward_terms, 0.0))
        none = Outcome(0.0, False, outcome.progress, dict.fromkeys(outcome.terms, 0.0))
        return score, self._facts(score, none, task_judges) | {"task_success": False if task_judges else None}

    def _facts(self, score: Score, outcome: Outcome, task_judges: bool) -> dict[str, Any]:
        """Return the keys of the info about success.

        `success` ends the episode and is recorded; `judged_by` is its source. `task_success` is the task's own verdict,
        or None where the task cannot evaluate success.
        """
        self._task_success = outcome.success or (self._task_latches and self._task_success)
        passed_on: Judge = "task" if task_judges else "operator"
        return {
            "success": score.success,
            "reward_terms": {**outcome.terms, **score.terms},
            "reward_confidence": score.confidence,
            "task_success": self._task_success if task_judges else None,
            "judged_by": "reward" if self._reward.judges else passed_on,
        }
