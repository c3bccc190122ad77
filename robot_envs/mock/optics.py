"""The true optics of a MuJoCo camera, with which a calibration is compared.

Axes are OpenCV's: x right, y down, z forward. Pixel coordinates are OpenCV's too: (0, 0) is the centre of the first
pixel. MuJoCo's cameras have y up and look along -z.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from steadyhand.robot_envs.camera import WHOLE, Crop
from steadyhand.robot_envs.frames import (
    Array,
    pose,
    pose_compose,
    pose_inverse,
    quat_from_matrix,
    quat_rotate,
)

__all__ = ["camera_in_base", "intrinsics", "mount_of", "project", "set_mount"]

HALF_TURN = pose(np.zeros(3), [1.0, 0.0, 0.0, 0.0])  # about x, between the axes of OpenCV and MuJoCo; its own inverse


def intrinsics(model: mujoco.MjModel, name: str, height: int, width: int, crop: Crop = WHOLE) -> Array:
    """Return the camera matrix of a view. Shape (3, 3); [pixels].

    Args:
        model: The model with the camera.
        name: Name of the camera.
        height: Height of the frame [pixels].
        width: Width of the frame [pixels].
        crop: The part of the camera's picture that the frame shows; its pixels are square.
    """
    whole_height, whole_width = height / crop.height, width / crop.width
    focal = 0.5 * whole_height / math.tan(0.5 * math.radians(model.camera(name).fovy[0]))
    centre_x = (0.5 - crop.left) * whole_width - 0.5
    centre_y = (0.5 - crop.top) * whole_height - 0.5
    return np.array([[focal, 0.0, centre_x], [0.0, focal, centre_y], [0.0, 0.0, 1.0]])


def camera_in_base(data: mujoco.MjData, name: str) -> Array:
    """Return the true pose of a camera in the base frame, OpenCV axes. Shape (7,); [m], xyzw."""
    camera = data.camera(name)
    return pose_compose(pose(camera.xpos, quat_from_matrix(camera.xmat.reshape(3, 3))), HALF_TURN)


def mount_of(model: mujoco.MjModel, name: str) -> Array:
    """Return the pose of a camera in the body that carries it, OpenCV axes. Shape (7,); [m], xyzw."""
    camera = model.camera(name)
    return pose_compose(pose(camera.pos, camera.quat[[1, 2, 3, 0]]), HALF_TURN)


def set_mount(model: mujoco.MjModel, name: str, mount: Array) -> None:
    """Set the pose of a camera in the body that carries it, OpenCV axes. Shape (7,); [m], xyzw."""
    camera, own = model.camera(name), pose_compose(mount, HALF_TURN)
    camera.pos[:] = own[:3]
    camera.quat[:] = own[[6, 3, 4, 5]]


def project(points: Array, camera: Array, matrix: Array) -> Array:
    """Project points of the base frame into a picture without distortion.

    Args:
        points: Points in front of the camera, base frame. Shape (n, 3); [m].
        camera: Pose of the camera in the base frame, OpenCV axes. Shape (7,).
        matrix: Camera matrix. Shape (3, 3); [pixels].

    Returns:
        x and y of each point. Shape (n, 2); [pixels].
    """
    inverse = pose_inverse(camera)
    seen = quat_rotate(inverse[3:], points) + inverse[:3]
    image = seen @ matrix.T
    projected: Array = image[:, :2] / image[:, 2:]
    return projected
