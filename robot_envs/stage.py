"""What arranges the workpieces between two episodes: the simulator, a fixture whose pose was measured, or a person."""

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


class NotedStage:
    """Nobody moves the workpieces: each is where the task says that it stands, in a fixture that was measured.

    A goal that is no thing, as in reach, may be anywhere.
    """

    only_noted = True

    def __init__(self) -> None:
        self._poses: dict[str, Array] = {}

    def begin(self, seed: int) -> None:
        """Nothing is simulated."""

    def place(self, name: str, pose_: Array) -> None:
        """Note where it is."""
        self._poses[name] = pose_

    def pose_of(self, name: str) -> Array:
        """Where it was noted. Raises KeyError for a name that nobody has placed."""
        return self._poses[name]
