"""What arranges the workpieces between two episodes: the simulator, a fixture whose pose was measured, or a person."""

from __future__ import annotations

from typing import Protocol

from robot_envs.frames import Array


class Stage(Protocol):
    """The things on the table. Poses are in the base frame, shape (7,)."""

    def begin(self, seed: int) -> None:
        """A new episode starts; a simulated stage forgets the last one and reseeds its noise."""

    def place(self, name: str, pose_: Array) -> None:
        """Put a workpiece somewhere. Raises KeyError for a name that is not on the stage."""

    def pose_of(self, name: str) -> Array:
        """Where a workpiece is. Raises KeyError for a name that is not on the stage."""
