"""A camera rendered by MuJoCo, with the ``Camera`` contract. With a gap its frames arrive late, and have noise.

On a machine without a display it renders with EGL; set ``MUJOCO_GL=osmesa`` where EGL is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.camera import Camera, CameraError, Frame
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.runtime.logging import quoted

if TYPE_CHECKING:
    import mujoco

    from steadyhand.robot_envs.mock.world import World

__all__ = ["RenderedCamera"]


class RenderedCamera(Camera):
    """Camera that renders on request; a frame's counter is the physics step of its exposure.

    Args:
        config: Size and crop of the view.
        name: A camera of the scene: ``wrist`` or ``side``.
        world: World of the mock robot.
    """

    settings_type = RenderedCameraConfig

    def __init__(self, config: RenderedCameraConfig, name: str, world: World | None) -> None:
        self.name = name
        self.height = config.height
        self.width = config.width
        self.crop = config.crop
        self._given = world
        self._renderer: mujoco.Renderer | None = None
        self._late: mujoco.MjData | None = None  # a past state of the world
        self._newest: Frame | None = None  # of those that arrive late

    def connect(self) -> None:
        """Open an off-screen renderer.

        Raises:
            CameraError: The scene has no such camera, or OpenGL is not available.
        """
        import mujoco  # an optional dependency: the settings of a view are checked without it

        names = [self._world.model.camera(index).name for index in range(self._world.model.ncam)]
        if self.name not in names:
            raise CameraError(f"camera {self.name!r} is not in the scene; choose one of {', '.join(names)}")
        try:
            self._renderer = mujoco.Renderer(self._world.model, self.height, self.width)
        except Exception as error:  # every GL backend has its own exceptions
            reason = " ".join(str(error).split())
            raise CameraError(
                f"camera {self.name!r} cannot render ({quoted(reason, 120)}); "
                "make its picture smaller, or install libegl1 or libosmesa6 and set MUJOCO_GL"
            ) from error

    def latest(self) -> Frame:
        """Render the present state of the world, or the state that the newest received frame shows."""
        world = self._world
        if world.film is None:
            return Frame(self._render(world.data, world.steps), world.clock.now_ns(), world.steps)
        newest = world.film.newest(self.name, world.steps)
        if self._newest is None or self._newest.counter != newest.counter:
            import mujoco

            self._late = self._late or mujoco.MjData(world.model)
            newest.shown.show(world.model, self._late)
            pixels = self._render(self._late, newest.shown.step)
            self._newest = Frame(pixels, world.time_of(newest.step), newest.counter)
        return self._newest

    def _render(self, data: mujoco.MjData, step: int) -> NDArray[np.uint8]:
        renderer = self._renderer
        if renderer is None:
            raise RuntimeError(f"camera {self.name!r} is not connected; call connect() first")
        renderer.update_scene(data, camera=self.name)
        self._narrow(renderer.scene)
        pixels: NDArray[np.uint8] = renderer.render()
        appearance = self._world.appearance
        return pixels if appearance is None else appearance.develop(pixels, self.name, step)

    def _narrow(self, scene: mujoco.MjvScene) -> None:
        """Narrow the frustum to the crop, so that only the visible part is rendered."""
        crop = self.crop
        for camera in scene.camera:  # MuJoCo keeps one for each eye
            half = camera.frustum_top
            half_width = half * (self.width / crop.width) / (self.height / crop.height)
            camera.frustum_center = half_width * (2.0 * crop.left + crop.width - 1.0)
            camera.frustum_top = half * (1.0 - 2.0 * crop.top)
            camera.frustum_bottom = half * (1.0 - 2.0 * (crop.top + crop.height))

    def close(self) -> None:
        """Close the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = self._newest = None

    @property
    def _world(self) -> World:
        if self._given is None:
            raise CameraError(
                f"camera {self.name!r}: expected a simulated robot to render, found a real one; name the class of a "
                f"real camera in camera.views.{self.name}.entry_point"
            )
        return self._given
