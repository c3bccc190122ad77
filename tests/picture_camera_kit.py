"""A camera that shows the pictures of a folder, each twice, and then the last one for ever."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from steadyhand.robot_envs.camera import WHOLE, Camera, CameraError, Frame, ViewConfig


@dataclass(frozen=True)
class PictureCameraConfig(ViewConfig):
    folder: str = ""
    device: dict[str, Any] | None = None


class PictureCamera(Camera):
    settings_type = PictureCameraConfig

    def __init__(self, config: PictureCameraConfig, name: str, world: object) -> None:
        self.name, self.height, self.width, self.crop = name, config.height, config.width, config.crop
        self._folder, self._counter, self._pictures = Path(config.folder), 0, []
        assert config.crop == WHOLE

    def connect(self) -> None:
        self._pictures = [np.asarray(Image.open(path).convert("RGB")) for path in sorted(self._folder.glob("*.png"))]
        if not self._pictures:
            raise CameraError(f"camera {self.name!r}: no picture in {self._folder}")

    def latest(self) -> Frame:
        self._counter += 1
        picture = self._pictures[min(self._counter // 2, len(self._pictures) - 1)]
        return Frame(picture, self._counter, self._counter)

    def close(self) -> None:
        self._pictures = []


def view(folder: Path, name: str = "wrist", serial: str | None = None) -> list[str]:
    """Return the overrides of a view of this camera."""
    device = "" if serial is None else f", device: {{serial: '{serial}'}}"
    text = f"{{entry_point: tests.picture_camera_kit:PictureCamera, height: 48, width: 48, folder: '{folder}'{device}}}"
    return [f"+camera.views.{name}={text}"]
