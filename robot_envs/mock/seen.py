"""The workpieces at their true places, as an operator beside the cell sees them.

The verdict on an episode and the scripted expert, which stands in for that person, use these. Observations use the
nominal one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from steadyhand.robot_envs.frames import Array, pose_compose, pose_inverse
from steadyhand.robot_envs.workpieces import Workpieces

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.world import World

__all__ = ["SeenWorkpieces"]


class SeenWorkpieces:
    """Workpieces whose poses include the hidden errors of workspace and tool.

    A task knows the tool by its nominal place in the hand. So `pose_of` moves a workpiece by the tool's error: relative
    to the nominal tool it is then where it truly is relative to the true tool.

    Args:
        nominal: The same workpieces without the errors.
        world: The world of both.
    """

    def __init__(self, nominal: Workpieces, world: World) -> None:
        self._nominal, self._world = nominal, world

    def begin(self, seed: int) -> None:
        """Begin an episode of the nominal workpieces."""
        self._nominal.begin(seed)

    def place(self, name: str, pose_: Array) -> None:
        """Place a nominal workpiece."""
        self._nominal.place(name, pose_)

    def pose_of(self, name: str) -> Array:
        """Return the pose of a workpiece, as it is relative to the true tool."""
        true, truth = self._world.pose_of(name), self._world.hidden_truth
        if truth is None or self._world.scene.tool is None:
            return true
        tcp = self._world.tcp_pose()
        moved = pose_compose(pose_compose(tcp, pose_inverse(truth.tool)), pose_inverse(tcp))
        return pose_compose(moved, true)

    def set_position(self, name: str, position: float) -> None:
        """Move the joint of a workpiece [m or rad]."""
        self._nominal.set_position(name, position)

    def position_of(self, name: str) -> float:
        """Return the joint position of a workpiece [m or rad]."""
        return self._nominal.position_of(name)
