"""The contract of a task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.workpieces import Workpieces

__all__ = ["REACH_M", "TOOL_DOWN", "TOOL_DOWN_TURNED", "EpisodePlan", "ObservedVector", "Outcome", "Task"]

# The tool points down: half a turn about the base's x axis.
TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])
# The same of an arm that faces the first one: half a turn about the base's y axis.
TOOL_DOWN_TURNED = np.array([0.0, 1.0, 0.0, 0.0])
REACH_M = 10.0  # longer than the reach of any arm: a larger number is a mistake, such as one in millimetres


@dataclass(frozen=True)
class EpisodePlan:
    """Start of an episode.

    Attributes:
        start_pose: Start pose of the tool, base frame. Shape (n_arms, 7); [m], xyzw.
        gripper_width: Opening of the gripper. Shape (n_arms,); [m].
        placements: Poses of the workpieces, by name; base frame, shape (7,).
        positions: Joint positions of articulated workpieces, by the name of the workpiece [m or rad].
    """

    start_pose: Array
    gripper_width: Array
    placements: dict[str, Array]
    positions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Outcome of a step.

    Attributes:
        reward: Sparse reward: 1 on success, else 0.
        success: True if the task is done; the episode then terminates.
        progress: Remaining distance that decreases towards success [m]; only a scripted operator reads it.
        terms: Named parts of the reward.
        failure: True if the attempt can no longer succeed; the episode then terminates without reward. Never True
            together with ``success``.
    """

    reward: float
    success: bool
    progress: float
    terms: dict[str, float] = field(default_factory=dict)
    failure: bool = False


@dataclass(frozen=True)
class ObservedVector:
    """A vector that the task adds to the observation.

    Attributes:
        size: Length of the vector.
        bound: Largest magnitude of an entry, in ``unit``.
        unit: Unit of the entries, for people and for the schema.
        frame: Frame of reference.
        scale: Typical deviation of each entry from zero, in ``unit``. Length ``size``.
    """

    size: int
    bound: float
    unit: str
    frame: str
    scale: tuple[float, ...]


class Task(Protocol):
    """One task. It works on states and poses alone, and is independent of simulators.

    A class with this contract names its settings in ``settings_type`` and is constructed from them alone. In
    ``episode_settings`` it may name the settings that only define the start of an episode. Demonstrations with other
    values of these are accepted; a difference in any other setting is refused.

    Attributes:
        settings_type: The dataclass that the task's `settings` are read into.
        observed: Vectors that the task adds to the observation, by name.
        privileged: Names of those vectors that no sensor of a real cell measures, such as the goal's true position. An
            image-based policy does not read them. Without this attribute, all added vectors are privileged.
        reward_terms: Names of the parts of the reward.

    A class that needs the present poses of moved workpieces for its verdict has ``follows_workpieces = True``. Where
    the workpieces only note the first placements, as on a real arm, the reward or the operator evaluates such a task.
    """

    settings_type: ClassVar[type[Any]]
    observed: dict[str, ObservedVector]
    privileged: ClassVar[tuple[str, ...]]
    reward_terms: ClassVar[tuple[str, ...]]

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw a new episode."""

    def observe(self, state: RobotState, workpieces: Workpieces) -> dict[str, NDArray[np.float32]]:
        """Return the task's part of the observation, as listed in ``observed``."""

    def evaluate(self, state: RobotState, workpieces: Workpieces) -> Outcome:
        """Evaluate the state after a step."""

    def truth(self, state: RobotState, workpieces: Workpieces) -> dict[str, Any]:
        """Return the privileged state that an operator sees and a policy does not; for the scripted expert alone."""
