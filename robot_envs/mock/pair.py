"""Two simulated arms at one table, in one MuJoCo world. They face each other, and their links have contacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.mock.config import MockConfig
from steadyhand.robot_envs.mock.fr3 import FR3
from steadyhand.robot_envs.mock.placed_arm import PlacedArm
from steadyhand.robot_envs.mock.setup import SimulatedArm
from steadyhand.robot_envs.robot_pair import NAMES, RobotPair
from steadyhand.runtime.ranges import expect, expect_length, expect_within

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.robot import MockRobot

__all__ = ["MockFr3Pair", "MockPairConfig"]

_FARTHEST_M = 3.0
_UNIT = 1e-3  # largest error of a quaternion's length


@dataclass(frozen=True)
class MockPairConfig(MockConfig):
    """Settings of two simulated arms. Both have the same gains and imperfections.

    Attributes:
        right_base: Base of the right arm in the base frame of the left one, position [m] and quaternion xyzw.
            Shape (7,).
    """

    right_base: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        expect_length(self, 7, "right_base")
        expect_within(self, -_FARTHEST_M, _FARTHEST_M, "right_base")
        length = float(np.linalg.norm(self.right_base[3:]))
        expect(abs(length - 1.0) < _UNIT, "right_base", "a unit quaternion xyzw after the position", self.right_base)
        expect(self.gap is None or self.gap.is_none, "gap", "none for two arms", "a gap")


class PairWorkpieces:
    """The workpieces of both arms, in the base frame of the left one.

    Args:
        left: The arm whose world has the workpieces.
        right: The other arm, whose noise every episode reseeds.
    """

    def __init__(self, left: MockRobot, right: MockRobot) -> None:
        self._left, self._right = left, right

    def begin(self, seed: int) -> None:
        """Move both arms to their home postures, and reseed all noise."""
        own, other = np.random.SeedSequence(seed).generate_state(2).tolist()
        self._left.begin(own)
        self._right.reseed(other)

    def place(self, name: str, pose_: Array) -> None:
        """Place a workpiece at a pose."""
        self._left.place(name, pose_)

    def pose_of(self, name: str) -> Array:
        """Return the pose of a workpiece."""
        return self._left.pose_of(name)

    def set_position(self, name: str, position: float) -> None:
        """Move the joint of a workpiece [m or rad]."""
        self._left.set_position(name, position)

    def position_of(self, name: str) -> float:
        """Return the joint position of a workpiece [m or rad]."""
        return self._left.position_of(name)


class MockFr3Pair(SimulatedArm):
    """Two simulated Franka Research 3.

    Args:
        settings: Settings of both arms.
        scene: `tool` or `tools` by arm, `fixtures` and `objects` of the task.

    Raises:
        ConfigError: The scene is invalid.
    """

    settings_type = MockPairConfig
    name = "mock_pair"
    n_arms = 2
    cameras = ("left_wrist", "right_wrist", "side")
    arm = FR3

    def __init__(self, settings: MockPairConfig, scene: Mapping[str, Any]) -> None:
        super().__init__(settings, scene)
        self._right_base = settings.right_base

    @property
    def placed(self) -> tuple[PlacedArm, ...]:
        """The two arms at their places."""
        left, right = NAMES
        return PlacedArm(self.arm, left, side=1), PlacedArm(self.arm, right, self._right_base, side=2)

    def make(self) -> Hardware:
        """Construct one world with both arms, each under its own impedance controller."""
        left, right = self.make_arms()
        world, workpieces = left.world, PairWorkpieces(left, right)
        pair = RobotPair(left, right, np.array(self._right_base))
        return Hardware(pair, (), workpieces, world.clock, world.config.pace == "lockstep", world)
