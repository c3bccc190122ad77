"""The contract of a reward: a score of each step, between the task's own outcome and the episode's end.

A reward is one file here, or in a package of the user's own, and one YAML file in `configs/reward/`, whose
`entry_point` names the class. `make_env` puts it into the environment, and `scoring.py` alone calls it in an episode.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from numpy.typing import NDArray

from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.runtime.component import Component, find_component

__all__ = ["LAST_STEP", "Fields", "Observation", "Reward", "Score", "SeenField", "find_reward"]

Observation = Mapping[str, NDArray[Any]]
LAST_STEP = "last_step"  # in the info of a step: True if the episode ends with it, by its time or by the environment


class SeenField(NamedTuple):
    """One field of an observation: its shape, its numpy dtype, and its frame, which for a picture has the crop."""

    shape: tuple[int, ...]
    dtype: str
    frame: str = ""


Fields = Mapping[str, SeenField]  # by name


@dataclass(frozen=True)
class Score:
    """The reward of one step.

    Attributes:
        reward: Reward of this step; finite.
        success: True if the task is done; the episode then terminates.
        terms: Named parts of the reward, by the names in `Reward.reward_terms`.
        confidence: Probability that `success` is right, 0..1.
    """

    reward: float
    success: bool
    terms: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 1.0


class Reward(ABC):
    """Reward that scores the steps of one episode at a time. A class with settings is constructed from them alone.

    Attributes:
        settings_type: The dataclass that the YAML file of the reward is read into; None = the reward has no settings.
        judges: True if `Score.success` is the reward's own verdict; False if it is the task's. Evaluation counts the
            task's verdict wherever the task can evaluate success.
        reward_terms: Names of the reward's own terms. They follow the task's terms in the schema of the records.
        fingerprint: Text that changes with the file and the settings of a learned reward; "" = it is not learned.
        relabels: True if a run's practice logs are to be scored anew when the fingerprint has changed.
    """

    settings_type: ClassVar[type[Any] | None] = None
    judges: ClassVar[bool] = True
    reward_terms: tuple[str, ...] = ()
    fingerprint: str = ""
    relabels: bool = False

    def check(self, fields: Fields) -> None:  # noqa: B027  a default, not a gap
        """Check that observations have the fields that the reward reads. By default it reads none.

        Args:
            fields: Fields of the environment, or of a log.

        Raises:
            ConfigError: A field is missing, or has another shape, dtype or frame.
        """

    def set_period(self, control_period_s: float) -> None:  # noqa: B027  a default, not a gap
        """Take the time between two steps [s], before the first episode. By default it is not needed."""

    def begin(self) -> None:  # noqa: B027  a default, not a gap
        """Start an episode and forget the steps of the previous one. By default there is nothing to forget."""

    @abstractmethod
    def score(
        self, observation: Observation, state: RobotState | None, outcome: Outcome, info: Mapping[str, Any]
    ) -> Score:
        """Score one step.

        Args:
            observation: The observation after the step; vectors (D,) float32 in SI units, frames
                (height, width, 3) uint8. It must not be modified.
            state: The robot's measured state; None for an environment without a robot and for stored records.
            outcome: The task's own outcome of the step. For stored records: the recorded one.
            info: Info of the environment. `LAST_STEP` is in it; stored records have nothing else.
        """


def find_reward(values: Mapping[str, Any], where: str = "reward") -> Component[Reward]:
    """Find the reward of a configuration group `reward`, and build its settings.

    Raises:
        ConfigError: The group names no class, or a setting is wrong.
    """
    return find_component(values, Reward, where)  # type: ignore[type-abstract]
