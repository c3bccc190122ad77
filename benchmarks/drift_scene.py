"""The mock's cell as a camera beside it sees it: the arm anywhere, the light changed, the camera moved."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.rotations import compose, matrix_from_rotvec, rigid_from_pose
from steadyhand.robot_envs.frames import Array, quat_from_matrix
from steadyhand.robot_envs.hardware import find_robot
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.robot_envs.robot import RobotError
from steadyhand.runtime.config import compose as compose_config

__all__ = ["DriftScene"]

SIDE = "side"
LOW_M, HIGH_M = np.array([0.38, -0.2, 0.15]), np.array([0.62, 0.15, 0.35])  # the TCP, base frame


class DriftScene:
    """A cell whose arm, light and camera a caller moves. Use it as a context manager.

    Args:
        task: The task, whose workpieces stand in the cell.
        width: Width of the picture [px].
        height: Height of the picture [px].
    """

    def __init__(self, task: str = "pick_place", width: int = 640, height: int = 480) -> None:
        config = compose_config([f"task={task}"])
        self._world: Any = find_robot(config["robot"]).make(config["task"]["scene"]).make().world
        self._camera = RenderedCamera(RenderedCameraConfig(height, width), SIDE, self._world)
        self._id = self._world.model.camera(SIDE).id
        self._pos, self._quat = self._world.model.cam_pos[self._id].copy(), self._world.model.cam_quat[self._id].copy()
        self._start = self._world.tcp_pose()

    def __enter__(self) -> DriftScene:
        """Open the renderer."""
        self._camera.connect()
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the renderer."""
        self._camera.close()

    def picture(
        self, rng: np.random.Generator, shift: Array | None = None, turn: Array | None = None, light: bool = True
    ) -> NDArray[np.uint8]:
        """Render with the arm at a random pose.

        Args:
            rng: Chooses the arm's pose, and the light.
            shift: Motion of the camera, in its own frame [m] (3,).
            turn: Rotation vector of the camera, about its own axes [rad] (3,).
            light: Whether the light is changed, and a shadow falls into the picture.
        """
        self._move_arm(rng)
        model = self._world.model
        old = rigid_from_pose(np.concatenate([self._pos, np.roll(self._quat, -1)]))
        step = matrix_from_rotvec(np.zeros(3) if turn is None else turn), np.zeros(3) if shift is None else shift
        turned, at = compose(old, step)
        model.cam_pos[self._id], model.cam_quat[self._id] = at, np.roll(quat_from_matrix(turned), 1)
        import mujoco

        ambient, diffuse = (rng.uniform(0.25, 0.55), rng.uniform(0.35, 0.75)) if light else (0.4, 0.6)
        model.vis.headlight.ambient[:], model.vis.headlight.diffuse[:] = ambient, diffuse
        if light:
            model.light_pos[0] = np.array([0.6, -0.6, 1.5]) + rng.uniform(-0.5, 0.5, 3)
        mujoco.mj_forward(model, self._world.data)
        pixels = self._camera.latest().pixels.astype(np.float64)
        if light:
            pixels = _shaded(rng, pixels)
        noisy = pixels + rng.normal(0.0, 2.0, pixels.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)

    def _move_arm(self, rng: np.random.Generator) -> None:
        while True:
            pose = self._start.copy()
            pose[:3] = rng.uniform(LOW_M, HIGH_M)
            try:
                self._world.set_configuration(pose, rng.uniform(0.0, 0.08))
                return
            except RobotError:
                continue


def _shaded(rng: np.random.Generator, pixels: Array) -> Array:
    """Return a picture of other gain and gamma, with the soft shadow of a person across it."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    angle, place = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.2, 0.8, 2) * (width, height)
    across = (columns - place[0]) * np.cos(angle) + (rows - place[1]) * np.sin(angle)
    shadow = 1.0 - rng.uniform(0.1, 0.4) / (1.0 + np.exp(-across / rng.uniform(3.0, 40.0)))
    return 255.0 * (pixels / 255.0 * shadow[..., None]) ** rng.uniform(0.8, 1.25) * rng.uniform(0.8, 1.15)
