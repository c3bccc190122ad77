"""The contract of a task."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotState
from steadyhand.robot_envs.stage import Stage

__all__ = ["REACH_M", "TOOL_DOWN", "EpisodePlan", "ObservedVector", "Outcome", "Task"]

# The tool points down: half a turn about the base's x axis.
TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])
REACH_M = 10.0  # no arm has a longer one: a number beyond it is a mistake, such as one in millimetres


@dataclass(frozen=True)
class EpisodePlan:
    """How an episode starts.

    Attributes:
        start_pose: Where the tool begins, base frame. Shape (n_arms, 7); [m], xyzw.
        gripper_width: Shape (n_arms,); [m].
        placements: Workpieces to put on the stage, by name; base frame, shape (7,).
        positions: Joints of articulated workpieces, by the name of the workpiece [m or rad].
    """

    start_pose: Array
    gripper_width: Array
    placements: dict[str, Array]
    positions: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a step has achieved.

    Attributes:
        reward: Sparse: 1 on success, else 0.
        success: The task is done; the episode terminates.
        progress: Something that falls on the way to success [m]; only an operator's stand-in reads it.
        terms: Named parts of the reward.
    """

    reward: float
    success: bool
    progress: float
    terms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ObservedVector:
    """A vector that the task adds to the observation.

    Attributes:
        size: Length of the vector.
        bound: Largest magnitude of an entry, in ``unit``.
        unit: For people and for the schema.
        frame: Frame of reference.
        scale: What a typical reading of each entry deviates from zero by, in ``unit``. Length ``size``.
    """

    size: int
    bound: float
    unit: str
    frame: str
    scale: tuple[float, ...]


class Task(Protocol):
    """One task. It works on states and poses alone and knows nothing of simulators.

    A class that fulfils this names its settings in ``settings_type`` and is built from them alone. It may name those
    that only say where an episode begins in ``episode_settings``: demonstrations recorded with other values of these
    may be used, while a difference in any other setting is refused.

    Attributes:
        settings_type: The dataclass that the task's `settings` are read into.
        observed: Vectors that the task adds to the observation, by name.
        privileged: Names of those of them that no sensor of a real cell tells, such as the goal's true position: a
            policy from images does not read them. A class without this attribute hides all that it adds.
        reward_terms: Names of the parts of the reward.

    A class whose verdict needs to know where workpieces have been moved has ``follows_workpieces = True``. Where the
    stage only notes their first places, as on a real arm, the reward or a person judges such a task.
    """

    settings_type: ClassVar[type[Any]]
    observed: dict[str, ObservedVector]
    privileged: ClassVar[tuple[str, ...]]
    reward_terms: ClassVar[tuple[str, ...]]

    def begin(self, rng: np.random.Generator) -> EpisodePlan:
        """Draw a new episode."""

    def observe(self, state: RobotState, stage: Stage) -> dict[str, NDArray[np.float32]]:
        """The task's part of the observation, as listed in ``observed``."""

    def evaluate(self, state: RobotState, stage: Stage) -> Outcome:
        """Judge the state that a step has led to."""

    def truth(self, state: RobotState, stage: Stage) -> dict[str, Any]:
        """What a person beside the robot sees and a policy does not; for the scripted expert alone."""
