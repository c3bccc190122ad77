"""A camera rendered by MuJoCo, behind the ``Camera`` contract.

On a machine without a display it renders by EGL; set ``MUJOCO_GL=osmesa`` where there is no EGL.
"""

from __future__ import annotations

import mujoco
import numpy as np

from steadyhand.robot_envs.camera import CameraError, Frame
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.robot_envs.mock.world import World
from steadyhand.runtime.logging import quoted


class RenderedCamera:
    """Renders when asked; a frame's counter is the physics step it shows."""

    def __init__(self, config: RenderedCameraConfig, world: World) -> None:
        self.name = config.name
        self.height = config.height
        self.width = config.width
        self.crop = config.crop
        self._world = world
        self._renderer: mujoco.Renderer | None = None

    def connect(self) -> None:
        """Open an off-screen renderer.

        Raises:
            CameraError: The scene has no such camera, or OpenGL is not available.
        """
        names = [self._world.model.camera(index).name for index in range(self._world.model.ncam)]
        if self.name not in names:
            raise CameraError(f"camera {self.name!r} is not in the scene; choose one of {', '.join(names)}")
        try:
            self._renderer = mujoco.Renderer(self._world.model, self.height, self.width)
        except Exception as error:  # every GL backend has exceptions of its own
            reason = " ".join(str(error).split())
            raise CameraError(
                f"camera {self.name!r} cannot render ({quoted(reason, 120)}); "
                "make its picture smaller, or install libegl1 or libosmesa6 and set MUJOCO_GL"
            ) from error

    def latest(self) -> Frame:
        """Render the world as it is now."""
        renderer = self._renderer
        if renderer is None:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        renderer.update_scene(self._world.data, camera=self.name)
        self._narrow(renderer.scene)
        pixels: np.ndarray = renderer.render()
        return Frame(pixels, self._world.clock.now_ns(), self._world.steps)

    def _narrow(self, scene: mujoco.MjvScene) -> None:
        """Let the frustum end where the crop does: nothing is rendered that is not shown."""
        crop = self.crop
        for camera in scene.camera:  # MuJoCo keeps one for each eye
            half = camera.frustum_top
            half_width = half * (self.width / crop.width) / (self.height / crop.height)
            camera.frustum_center = half_width * (2.0 * crop.left + crop.width - 1.0)
            camera.frustum_top = half * (1.0 - 2.0 * crop.top)
            camera.frustum_bottom = half * (1.0 - 2.0 * (crop.top + crop.height))

    def close(self) -> None:
        """Let go of the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
