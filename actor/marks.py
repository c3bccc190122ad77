"""Marks of the stage that each observation shows, for a success classifier: by a person's buttons or by the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import NDArray

from steadyhand.actor.supervision.motion_enable import Verdict

__all__ = ["MarkedEnv", "PersonMarks", "TaskMarks", "press_of"]

Observation = dict[str, NDArray[Any]]
Judge = Literal["task", "operator"]


class PersonMarks:
    """Marks by a person's buttons: `success` means one more stage is done from now on, `failure` one less.

    The buttons report presses alone, so a mark holds until the next press.

    Args:
        stages: Number of stages.
    """

    judged_by: Judge = "operator"

    def __init__(self, stages: int) -> None:
        self._stages, self._stage = stages, 0

    def press(self, verdict: Verdict) -> None:
        """Take a press, from any thread."""
        step = {"success": 1, "failure": -1}.get(verdict, 0)
        self._stage = min(max(self._stage + step, 0), self._stages)

    def begin(self) -> None:
        """Start an episode, in which no stage is done."""
        self._stage = 0

    def stage(self, reward: float, terms: Mapping[str, float]) -> int:
        """Return the number of stages that are done now."""
        return self._stage


class TaskMarks:
    """Marks by the task itself: its verdict is the last stage, and its reward terms are the stages before.

    Args:
        stages: Names of the stages; all but the last one are names of reward terms, which are above 0 when done.
    """

    judged_by: Judge = "task"

    def __init__(self, stages: Sequence[str]) -> None:
        self._terms, self._stages = tuple(stages[:-1]), len(stages)

    def begin(self) -> None:
        """Do nothing: the task's verdict on a step does not depend on earlier ones."""

    def stage(self, reward: float, terms: Mapping[str, float]) -> int:
        """Return the number of stages that are done now; a later stage contains the earlier ones."""
        if reward > 0.0:
            return self._stages
        return max((index for index, name in enumerate(self._terms, start=1) if terms[name] > 0.0), default=0)


class MarkedEnv(gymnasium.Wrapper[Observation, NDArray[np.float32], Observation, NDArray[np.float32]]):
    """Environment that notes a mark for every observation, and ends an episode after enough marks of the last stage.

    Args:
        env: Its reward is that of `reward=open_ended`.
        marks: Gives the marks.
        stages: Number of stages.
        positives: Observations of the last stage after which an episode ends.

    Attributes:
        stages: Mark of each observation of the episode so far, the first one included.
        last_stage: The mark that shows the success.
    """

    def __init__(
        self,
        env: gymnasium.Env[Observation, NDArray[np.float32]],
        marks: PersonMarks | TaskMarks,
        stages: int,
        positives: int,
    ) -> None:
        super().__init__(env)
        self._marks, self._positives = marks, positives
        self.last_stage = stages
        self.stages: list[int] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode. Its first observation shows no stage."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._marks.begin()
        self.stages = [0]
        return observation, info

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Step the environment, mark the observation, and end the episode as a success after enough positives."""
        observation, done, terminated, truncated, info = self.env.step(action)
        stage = self._marks.stage(float(done), info.get("reward_terms", {}))
        self.stages.append(stage)
        enough = self.stages.count(self.last_stage) >= self._positives
        ends = terminated or truncated or bool(info.get("stop_reason")) or bool(info.get("discarded"))
        success = stage == self.last_stage and (enough or ends) and not info.get("stop_reason")
        if success and not info.get("discarded"):
            terminated, truncated = True, False
        info = info | {"success": success, "judged_by": self._marks.judged_by}
        return observation, float(success), terminated, truncated, info


def press_of(marks: PersonMarks | TaskMarks) -> Callable[[Verdict], None] | None:
    """Return the function that takes a person's presses; None where the task marks."""
    return marks.press if isinstance(marks, PersonMarks) else None
