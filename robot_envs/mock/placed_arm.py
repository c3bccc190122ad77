"""An arm at its place in the simulated world. Needs no MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.mock.arm import ArmModel

__all__ = ["PlacedArm"]

_IDENTITY = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class PlacedArm:
    """One arm of a scene.

    Attributes:
        model: Parameters of the arm.
        name: Name of the arm, such as left; "" = the only arm.
        base: Pose of its base in the world, position [m] and quaternion xyzw. Shape (7,).
        side: Group of contacts, 1 or 2: arms of different groups collide. 0 = links collide with nothing.
    """

    model: ArmModel
    name: str = ""
    base: tuple[float, ...] = _IDENTITY
    side: int = 0

    @property
    def prefix(self) -> str:
        """Prefix of the arm's names in the MJCF."""
        return f"{self.name}_" if self.name else ""

    @property
    def base_pose(self) -> Array | None:
        """Pose of the base in the world, shape (7,); None if the base is the world's origin."""
        return None if self.base == _IDENTITY else np.array(self.base)
