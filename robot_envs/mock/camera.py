"""A camera rendered by MuJoCo, behind the ``Camera`` contract.

On a machine without a display it renders by EGL; set ``MUJOCO_GL=osmesa`` where there is no EGL.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from robot_envs.camera import Frame
from robot_envs.mock.world import World


@dataclass(frozen=True)
class RenderedCameraConfig:
    """One view. ``name`` is a camera of the scene: ``wrist`` or ``side``."""

    name: str
    height: int
    width: int


class RenderedCamera:
    """Renders when asked; a frame's counter is the physics step it shows."""

    def __init__(self, config: RenderedCameraConfig, world: World) -> None:
        self.name = config.name
        self.height = config.height
        self.width = config.width
        self._world = world
        self._renderer: mujoco.Renderer | None = None

    def connect(self) -> None:
        """Open an off-screen renderer.

        Raises:
            RuntimeError: The scene has no such camera, or OpenGL is not available.
        """
        names = [self._world.model.camera(index).name for index in range(self._world.model.ncam)]
        if self.name not in names:
            raise RuntimeError(f"camera {self.name!r} is not in the scene; choose one of {', '.join(names)}")
        try:
            self._renderer = mujoco.Renderer(self._world.model, self.height, self.width)
        except Exception as error:  # every GL backend has exceptions of its own
            raise RuntimeError(
                f"camera {self.name!r} cannot render ({error}); install libegl1 or libosmesa6 and set MUJOCO_GL"
            ) from error

    def latest(self) -> Frame:
        """Render the world as it is now."""
        renderer = self._renderer
        if renderer is None:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        renderer.update_scene(self._world.data, camera=self.name)
        pixels: np.ndarray = renderer.render()
        return Frame(pixels, self._world.clock.now_ns(), self._world.steps)

    def close(self) -> None:
        """Let go of the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None
