"""The frames of a driver's messages, and its readings in the frame of the commands. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from steadyhand.robot_envs.frames import Array, pose_compose, quat_inverse, quat_multiply, quat_rotate
from steadyhand.runtime.ranges import expect_within

__all__ = ["DriverFrames", "FixedTransform", "frame_fault"]

_UNIT_TOLERANCE = 1e-3
_REACH_M = 10.0  # no two frames of an arm are farther apart: a larger number is in millimetres


@dataclass(frozen=True)
class FixedTransform:
    """Pose of the driver's frame in the profile's base frame. It never changes.

    Attributes:
        translation_m: Origin of the driver's frame.
        quat: Orientation of the driver's frame; xyzw.
    """

    translation_m: tuple[float, float, float]
    quat: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        length = float(np.linalg.norm(self.quat))
        if abs(length - 1.0) > _UNIT_TOLERANCE:
            raise ValueError(f"quat: expected a unit quaternion xyzw, found length {length:.4g}")
        expect_within(self, -_REACH_M, _REACH_M, "translation_m")

    @property
    def pose(self) -> Array:
        """Pose of the driver's frame in the base frame. Shape (7,); [m] and unit quaternion xyzw."""
        quat = np.asarray(self.quat)
        return np.concatenate([np.asarray(self.translation_m), quat / np.linalg.norm(quat)])


@dataclass(frozen=True)
class DriverFrames:
    """`frame_id` of every stamped input, exactly as the driver writes it; "" where the driver leaves it empty.

    A message with another `frame_id` is rejected, and stops the robot.

    Attributes:
        pose: Frame of `topics.pose`.
        twist: Frame of `topics.twist`; null without that topic.
        wrench: Frame of `topics.wrench`; null without that topic.
        twist_axes: Axes of the twist: base = those of the pose's frame, local = those of the tool.
        pose_in_base: Pose of the pose's frame in the profile's `base_frame`; null = it is the same frame.
    """

    pose: str
    twist: str | None
    wrench: str | None
    twist_axes: Literal["base", "local"]
    pose_in_base: FixedTransform | None

    def to_base(self, pose: Array) -> Array:
        """Return the driver's pose of the tool in the base frame. Shapes (7,)."""
        if self.pose_in_base is None:
            return pose
        moved: Array = pose_compose(self.pose_in_base.pose, pose)
        return moved

    def twist_to_base(self, twist: Array, tool_quat: Array) -> Array:
        """Return the driver's twist along the axes of the base frame.

        Args:
            twist: Linear [m/s] and angular [rad/s] velocity of the tool centre point; shape (6,).
            tool_quat: Orientation of the tool in the base frame; shape (4,), xyzw.
        """
        if self.twist_axes == "local":
            return _turned(tool_quat, twist)
        return twist if self.pose_in_base is None else _turned(self.pose_in_base.pose[3:], twist)

    def tool_quat_of_driver(self, tool_quat: Array) -> Array:
        """Return the tool's orientation in the pose's frame, from that in the base frame. Shapes (4,), xyzw."""
        if self.pose_in_base is None:
            return tool_quat
        return quat_multiply(quat_inverse(self.pose_in_base.pose[3:]), tool_quat)


def frame_fault(topic: str, setting: str, expected: str, found: str) -> str:
    """Return a one-line error for a message with a wrong `frame_id`; "" when it is correct.

    Args:
        topic: Topic of the message.
        setting: The profile's key that names the expected frame.
        expected: Frame in the profile.
        found: Frame in the message.
    """
    if found == expected:
        return ""
    return (
        f"wrong frame: {topic}: expected frame_id '{expected}', found '{found}'; correct the driver, or robot.profile."
        f"{setting} and, where that frame is not the base frame, robot.profile.frames.pose_in_base"
    )


def _turned(quat: Array, twist: Array) -> Array:
    return quat_rotate(np.broadcast_to(quat, (2, 4)), twist.reshape(2, 3)).ravel()
