"""The meaning of an action: a step of each tool in its own frame, and the opening of its gripper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.env_config import EnvConfig
from steadyhand.robot_envs.frames import length, pose_compose, pose_from_vector
from steadyhand.robot_envs.gripper import gripper_wish
from steadyhand.robot_envs.robot import RobotCommand
from steadyhand.robot_envs.safety.held_pose import HeldPose

__all__ = ["ToolSteps"]


class ToolSteps:
    """Makes commands of normalised actions.

    Args:
        config: Action scales and gripper.
        n_arms: Number of arms.
    """

    def __init__(self, config: EnvConfig, n_arms: int) -> None:
        self._config, self._n_arms = config, n_arms
        self._held = HeldPose(n_arms)

    @property
    def is_moving(self) -> bool:
        """True if the newest action moves an arm."""
        return self._held.is_moving

    def release(self) -> None:
        """Forget the held poses, because the arms were moved in another way."""
        self._held.release()

    def command(
        self, action: NDArray[np.float64], tcp_pose: NDArray[np.float64], gripper_width: NDArray[np.float64]
    ) -> RobotCommand:
        """Return the command of an action.

        Args:
            action: Normalised action, -1 to 1, of all arms. Shape (n_arms * entries of an arm,).
            tcp_pose: Measured poses of the tools, base frame. Shape (n_arms, 7); [m], xyzw.
            gripper_width: Openings that are commanded now. Shape (n_arms,); [m].
        """
        if not np.isfinite(action).all():
            # Clipping would turn an infinite action into a valid command; the gate has to see the fault.
            return RobotCommand(np.full_like(tcp_pose, np.nan), gripper_width)
        arms = np.clip(action.reshape(self._n_arms, -1), -1.0, 1.0)
        delta = arms[:, :6] * np.repeat([self._config.action_scale_m, self._config.action_scale_rad], 3)
        reference = self._held.reference(tcp_pose, length(delta) > 0.0)
        target = pose_compose(reference, pose_from_vector(delta))
        width = gripper_width
        if self._config.learns_gripper:
            wish = gripper_wish(arms[:, 6])
            width = np.where(wish > 0.0, self._config.gripper_open_m, np.where(wish < 0.0, 0.0, width))
        return RobotCommand(target, width)
