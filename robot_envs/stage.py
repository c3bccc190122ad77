"""The workpieces, arranged between two episodes by the simulator, in a measured fixture, or by a person."""

from __future__ import annotations

from typing import Protocol

from steadyhand.robot_envs.frames import Array

__all__ = ["NotedStage", "Stage"]


class Stage(Protocol):
    """The things on the table. Poses are in the base frame, shape (7,).

    A stage that only repeats where things were placed has an attribute `only_noted`, which is True: a task that follows
    its workpieces cannot judge by it.
    """

    def begin(self, seed: int) -> None:
        """A new episode starts; a simulated stage forgets the last one and reseeds its noise."""

    def place(self, name: str, pose_: Array) -> None:
        """Put a workpiece somewhere. Raises KeyError for a name that is not on the stage."""

    def pose_of(self, name: str) -> Array:
        """Where a workpiece is. Raises KeyError for a name that is not on the stage."""

    def set_position(self, name: str, position: float) -> None:
        """Move the joint of an articulated workpiece [m or rad]. Raises KeyError where there is no such joint."""

    def position_of(self, name: str) -> float:
        """Where the joint of an articulated workpiece stands [m or rad]. Raises KeyError where there is none."""


class NotedStage:
    """Nobody moves the workpieces: each is where the task says that it stands, in a fixture that was measured.

    A goal that is no thing, as in reach, may be anywhere.
    """

    only_noted = True

    def __init__(self) -> None:
        self._poses: dict[str, Array] = {}
        self._positions: dict[str, float] = {}

    def begin(self, seed: int) -> None:
        """Nothing is simulated."""

    def place(self, name: str, pose_: Array) -> None:
        """Note where it is."""
        self._poses[name] = pose_

    def pose_of(self, name: str) -> Array:
        """Where it was noted. Raises KeyError for a name that nobody has placed."""
        return self._poses[name]

    def set_position(self, name: str, position: float) -> None:
        """Note where the joint of a workpiece stands."""
        self._positions[name] = position

    def position_of(self, name: str) -> float:
        """Where it was noted. Raises KeyError for a joint that no task has set."""
        return self._positions[name]
