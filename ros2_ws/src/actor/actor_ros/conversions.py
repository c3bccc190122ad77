"""Conversions between messages and arrays. Pure functions: no node, and no clock except the given stamp.

Arrays have SI units, quaternions xyzw, and wrenches of the environment on the tool, in the tool frame.
"""

from __future__ import annotations

import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseStamped, Transform, TwistStamped, WrenchStamped
from numpy.typing import NDArray
from sensor_msgs.msg import Image, JointState, MultiDOFJointState

from steadyhand.robot_envs.frames import Array, quat_inverse, quat_rotate
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.robot_envs.profile import WrenchConvention

_NS = 1_000_000_000
_UNIT = 0.02  # largest error of a quaternion's length by drivers' rounding


class MessageError(ValueError):
    """A message that cannot be used; its text is one line with the expected and the found value."""


def stamp_from_ns(time_ns: int) -> Time:
    """Return a ROS time [ns] as the stamp of a message."""
    return Time(sec=time_ns // _NS, nanosec=time_ns % _NS)


def stamp_to_ns(stamp: Time) -> int:
    """Return the stamp of a message [ns]. It orders messages and is never compared with a clock."""
    return int(stamp.sec) * _NS + int(stamp.nanosec)


def pose_to_array(message: Pose) -> Array:
    """Return position [m] and quaternion xyzw. Shape (7,).

    Raises:
        MessageError: The quaternion's length differs from 1 by more than rounding.
    """
    p, q = message.position, message.orientation
    found = np.array([p.x, p.y, p.z, q.x, q.y, q.z, q.w])
    size = float(np.linalg.norm(found[3:]))
    if abs(size - 1.0) > _UNIT:
        raise MessageError(
            f"orientation: expected a unit quaternion, found length {size:.3g}; fill in all four numbers"
        )
    # Non-finite values stay non-finite: the watchdog and the gate detect them.
    found[3:] /= size
    return found


def pose_from_array(pose: Array, frame_id: str, stamp: Time) -> PoseStamped:
    """Return a pose (7,), [m] and xyzw, as a message in a frame."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = frame_id, stamp
    p, q = message.pose.position, message.pose.orientation
    p.x, p.y, p.z, q.x, q.y, q.z, q.w = map(float, pose)
    return message


def twist_to_array(message: TwistStamped) -> Array:
    """Return linear [m/s] then angular [rad/s] velocity, in the message's frame. Shape (6,)."""
    v, w = message.twist.linear, message.twist.angular
    return np.array([v.x, v.y, v.z, w.x, w.y, w.z])


def twist_from_array(twist: Array, frame_id: str, stamp: Time) -> TwistStamped:
    """Return a twist (6,), [m/s] and [rad/s], as a message in a frame."""
    message = TwistStamped()
    message.header.frame_id, message.header.stamp = frame_id, stamp
    v, w = message.twist.linear, message.twist.angular
    v.x, v.y, v.z, w.x, w.y, w.z = map(float, twist)
    return message


def wrench_to_array(message: WrenchStamped, convention: WrenchConvention, tool_quat: Array) -> Array:
    """Return force [N] and torque [Nm] of the environment on the tool, in the tool frame. Shape (6,).

    Args:
        message: The wrench reported by the controller.
        convention: Sign and axes of the message.
        tool_quat: Orientation of the tool in the frame of the driver's pose; shape (4,), xyzw.
    """
    f, t = message.wrench.force, message.wrench.torque
    wrench = convention.sign * np.array([f.x, f.y, f.z, t.x, t.y, t.z])
    if convention.frame == "base":
        return _rotated(quat_inverse(tool_quat), wrench)
    return wrench


def wrench_from_array(
    wrench: Array, convention: WrenchConvention, tool_quat: Array, frame_id: str, stamp: Time
) -> WrenchStamped:
    """Return our wrench (6,) as a controller with that convention reports it, the inverse of `wrench_to_array`."""
    shown = convention.sign * (_rotated(tool_quat, wrench) if convention.frame == "base" else wrench)
    message = WrenchStamped()
    message.header.frame_id, message.header.stamp = frame_id, stamp
    f, t = message.wrench.force, message.wrench.torque
    f.x, f.y, f.z, t.x, t.y, t.z = map(float, shown)
    return message


def _rotated(quat: Array, wrench: Array) -> Array:
    return quat_rotate(np.broadcast_to(quat, (2, 4)), wrench.reshape(2, 3)).ravel()


def joints_to_arrays(message: JointState, names: Sequence[str]) -> tuple[Array, Array | None]:
    """Return positions [rad] and velocities [rad/s] of the named joints, which may have any order in the message.

    Returns:
        Two arrays of shape (len(names),); None for the velocities if the message has none.

    Raises:
        MessageError: A joint is missing, or the message's arrays have different lengths.
    """
    if len(message.position) != len(message.name) or len(message.velocity) not in (0, len(message.name)):
        raise MessageError(
            f"joint state: expected {len(message.name)} positions for as many names, and as many velocities or none, "
            f"found {len(message.position)} and {len(message.velocity)}"
        )
    where = {name: index for index, name in enumerate(message.name)}
    missing = [name for name in names if name not in where]
    if missing:
        raise MessageError(
            f"joint state: expected {', '.join(missing)}, found {', '.join(map(str, message.name)) or 'no joints'}; "
            "correct profile.joints"
        )
    index = [where[name] for name in names]
    velocity = np.asarray(message.velocity, np.float64)[index] if len(message.velocity) else None
    return np.asarray(message.position, np.float64)[index], velocity


def joints_from_arrays(names: Sequence[str], position: Array, velocity: Array | None, stamp: Time) -> JointState:
    """Return a message of positions [rad] and velocities [rad/s], shape (len(names),); None omits the velocities."""
    message = JointState()
    message.header.stamp = stamp
    message.name = list(names)
    message.position = [float(value) for value in position]
    message.velocity = [] if velocity is None else [float(value) for value in velocity]
    return message


def gripper_width(message: JointState, gripper: GripperProfile) -> float:
    """Return the opening between the fingers [m].

    Raises:
        MessageError: The gripper's joint is not in the message.
    """
    position, _ = joints_to_arrays(message, [gripper.joint])
    return gripper.opening_at(float(position[0]))


def image_from_array(pixels: NDArray[np.uint8], frame_id: str, stamp: Time) -> Image:
    """Return RGB pixels (height, width, 3) as an rgb8 image."""
    message = Image(height=pixels.shape[0], width=pixels.shape[1], encoding="rgb8", step=pixels.shape[1] * 3)
    message.header.frame_id, message.header.stamp = frame_id, stamp
    # rclpy copies and checks anything but an array.array byte by byte.
    message.data = array.array("B", pixels.tobytes())
    return message


def poses_to_arrays(message: MultiDOFJointState) -> dict[str, Array]:
    """Return named poses: position [m] and quaternion xyzw in the message's frame, shape (7,).

    Raises:
        MessageError: The number of poses differs from the number of names.
    """
    if len(message.joint_names) != len(message.transforms):
        raise MessageError(
            f"workpieces: expected a pose for each of {len(message.joint_names)} names, found {len(message.transforms)}"
        )
    found = {}
    for name, transform in zip(message.joint_names, message.transforms, strict=True):
        t, q = transform.translation, transform.rotation
        found[str(name)] = np.array([t.x, t.y, t.z, q.x, q.y, q.z, q.w])
    return found


def poses_from_arrays(poses: Mapping[str, Array], frame_id: str, stamp: Time) -> MultiDOFJointState:
    """Return named poses (7,) as a message, the inverse of `poses_to_arrays`."""
    message = MultiDOFJointState()
    message.header.frame_id, message.header.stamp = frame_id, stamp
    message.joint_names = list(poses)
    message.transforms = [_transform(pose) for pose in poses.values()]
    return message


def _transform(pose: Array) -> Any:
    transform = Transform()
    t, q = transform.translation, transform.rotation
    t.x, t.y, t.z, q.x, q.y, q.z, q.w = map(float, pose)
    return transform
