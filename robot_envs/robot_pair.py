"""Two arms as one robot: the composition of two robots of one arm each.

Poses and twists of both arms are in the pair's base frame, which is the base frame of the left arm.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyhand.robot_envs.frames import Array, pose_compose, pose_relative, quat_rotate
from steadyhand.robot_envs.robot import MayGoOn, Robot, RobotCommand, RobotError, RobotState

__all__ = ["NAMES", "RobotPair"]

NAMES = ("left", "right")  # of the arms, in the order of the arms axis


class RobotPair:
    """Two robots of one arm each, as one robot of two arms. If one arm fails, the other one holds.

    Args:
        left: The first arm.
        right: The second arm.
        right_base: Base of the second arm in the base frame of the first, position [m] and quaternion xyzw. Shape (7,).
    """

    n_arms = 2

    def __init__(self, left: Robot, right: Robot, right_base: Array) -> None:
        for name, arm in zip(NAMES, (left, right), strict=True):
            if arm.n_arms != 1:
                raise RobotError(f"{name} arm: expected a robot of one arm, found {arm.n_arms}; a pair has two arms")
        self._arms = (left, right)
        self._right_base = right_base
        self.has_gripper = left.has_gripper and right.has_gripper

    def connect(self) -> None:
        """Open both links. If the second one fails, the first one is closed again."""
        left, right = self._arms
        left.connect()
        try:
            right.connect()
        except BaseException:
            left.close()
            raise

    def read(self) -> RobotState:
        """Return the newest states of both arms; the stamp is that of the older one."""
        left, right = self._arms
        return self._joined(left.read(), right.read())

    def command(self, command: RobotCommand) -> None:
        """Command both arms. If one refuses, both hold, and the error is raised again."""
        poses = (command.tcp_pose[:1], pose_relative(self._right_base, command.tcp_pose[1:]))
        try:
            for index, (arm, pose) in enumerate(zip(self._arms, poses, strict=True)):
                arm.command(RobotCommand(pose, command.gripper_width[index : index + 1]))
        except BaseException:
            self._both(lambda arm: arm.hold(), RobotError)
            raise

    def hold(self) -> None:
        """Hold both arms, also when one of them raises an error."""
        self._both(lambda arm: arm.hold())

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Move the left arm to its pose, then the right one; meanwhile the other arm holds.

        `may_go_on` is called with the states of both arms.
        """
        left, right = self._arms
        try:
            left.reset(tcp_pose[:1], gripper_width[:1], lambda state: may_go_on(self._joined(state, right.read())))
            pose = pose_relative(self._right_base, tcp_pose[1:])
            right.reset(pose, gripper_width[1:], lambda state: may_go_on(self._joined(left.read(), state)))
        except BaseException:
            self._both(lambda arm: arm.hold(), RobotError)
            raise
        return self.read()

    def forget_pose(self) -> None:
        """Accept the next valid readings at any pose."""
        self._both(lambda arm: arm.forget_pose())

    def close(self) -> None:
        """Hold and close both links, also when one of them raises an error."""
        self._both(lambda arm: arm.close())

    def _both(self, do: Callable[[Robot], None], swallowed: type[Exception] | tuple[type[Exception], ...] = ()) -> None:
        """Call `do` with both arms; raise the first error afterwards, unless it is one of `swallowed`."""
        first: Exception | None = None
        for arm in self._arms:
            try:
                do(arm)
            except Exception as error:  # the other arm has to hold in every case
                first = first or error
        if first is not None and not isinstance(first, swallowed):
            raise first

    def _joined(self, left: RobotState, right: RobotState) -> RobotState:
        if left.joint_position.shape != right.joint_position.shape:
            found = f"{left.joint_position.shape[1]} and {right.joint_position.shape[1]}"
            raise RobotError(f"robot: expected two arms with as many joints, found {found}; pair arms of one kind")
        base = self._right_base
        twist = quat_rotate(base[None, 3:], right.tcp_twist.reshape(2, 3)).reshape(1, 6)
        sides = tuple(zip(NAMES, (left, right), strict=True))

        def text(name: str) -> str:
            return "; ".join(f"{side}: {getattr(state, name)}" for side, state in sides if getattr(state, name))

        return RobotState(
            stamp_ns=min(left.stamp_ns, right.stamp_ns),
            tcp_pose=np.concatenate([left.tcp_pose, pose_compose(base, right.tcp_pose)]),
            tcp_twist=np.concatenate([left.tcp_twist, twist]),
            wrench=np.concatenate([left.wrench, right.wrench]),
            joint_position=np.concatenate([left.joint_position, right.joint_position]),
            joint_velocity=np.concatenate([left.joint_velocity, right.joint_velocity]),
            gripper_width=np.concatenate([left.gripper_width, right.gripper_width]),
            ok=np.concatenate([left.ok, right.ok]),
            silent_source=text("silent_source"),
            fault=text("fault"),
            implausible=text("implausible"),
        )
