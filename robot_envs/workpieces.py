"""The workpieces, arranged between two episodes by the simulator, in a measured fixture, or by a person."""

from __future__ import annotations

from typing import Protocol

from steadyhand.robot_envs.frames import Array

__all__ = ["NotedWorkpieces", "Workpieces"]


class Workpieces(Protocol):
    """The workpieces on the table. Poses are in the base frame, shape (7,).

    An implementation that only repeats the noted placements has an attribute `only_noted`, which is True. A task that
    follows its workpieces cannot evaluate success with it.

    An implementation with hidden errors, as of a simulated cell with a gap, has an attribute `seen`: the workpieces as
    an operator sees them. The task's verdict and the scripted expert then use that one.
    """

    def begin(self, seed: int) -> None:
        """Start a new episode; a simulator forgets the last one and reseeds its noise."""

    def place(self, name: str, pose_: Array) -> None:
        """Place a workpiece at a pose. Raises KeyError for a name that is not a workpiece."""

    def pose_of(self, name: str) -> Array:
        """Return the pose of a workpiece. Raises KeyError for a name that is not a workpiece."""

    def set_position(self, name: str, position: float) -> None:
        """Move the joint of an articulated workpiece [m or rad]. Raises KeyError where there is no such joint."""

    def position_of(self, name: str) -> float:
        """Return the joint position of an articulated workpiece [m or rad]. Raises KeyError where there is no joint."""


class NotedWorkpieces:
    """Workpieces that only note placements: each workpiece stays where the task placed it, in a measured fixture.

    A goal that is not an object, as in reach, may be anywhere.
    """

    only_noted = True

    def __init__(self) -> None:
        self._poses: dict[str, Array] = {}
        self._positions: dict[str, float] = {}

    def begin(self, seed: int) -> None:
        """Do nothing: nothing is simulated."""

    def place(self, name: str, pose_: Array) -> None:
        """Note the pose of a workpiece."""
        self._poses[name] = pose_

    def pose_of(self, name: str) -> Array:
        """Return the noted pose. Raises KeyError for a workpiece that was not placed."""
        return self._poses[name]

    def set_position(self, name: str, position: float) -> None:
        """Note the joint position of a workpiece."""
        self._positions[name] = position

    def position_of(self, name: str) -> float:
        """Return the noted joint position. Raises KeyError for a joint that no task has set."""
        return self._positions[name]
