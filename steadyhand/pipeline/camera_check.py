"""Check that the cameras of a configuration stand where they stood at their references."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.picture_source import next_picture, open_camera, view_of, whole_view
from steadyhand.calibration.camera_check import CameraVerdict, Placement, check_camera, hand_eye_of
from steadyhand.robot_envs.hardware import find_camera, find_robot
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.calibration_file import CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import get_logger

__all__ = ["KIND", "SETTING", "CameraCheck", "TakeWhole", "whole_pictures_in"]

KIND = "reference"
SETTING = "calibration.check.moved"
_NS = 1_000_000_000

# Returns a new whole picture (h, w, 3) of a view, given its name and the time to wait for it [s]. Its size is that of
# `calibration.pictures`. Raises CameraError, CalibrationError or ConfigError.
TakeWhole = Callable[[str, float], NDArray[np.uint8]]

logger = get_logger("cameras")


def whole_pictures_in(config: Mapping[str, Any], world: object) -> TakeWhole:
    """Return the source of whole pictures of a robot without ROS whose cameras are open already.

    Views of one device share its capture, and a simulated camera renders the robot's own world.
    """
    wanted = build(CalibrationSettings, config["calibration"], "calibration").pictures

    def take(name: str, patience_s: float) -> NDArray[np.uint8]:
        view = whole_view(config["camera"]["views"][name], wanted)
        camera = find_camera(name, view, find_robot(config["robot"]).type).make(name, world)
        camera.connect()
        try:
            return next_picture(camera, None, patience_s)[0]
        finally:
            camera.close()

    return take


class CameraCheck:
    """Comparison of every camera that has a reference in `calibration.files` with it.

    Args:
        config: As `compose` returns it.
        take: Source of whole pictures; None = the camera is opened for the comparison, and nothing else has it open.
    """

    def __init__(self, config: Mapping[str, Any], take: TakeWhole | None = None) -> None:
        self._config = config
        self._settings = build(CalibrationSettings, config["calibration"], "calibration")
        self._take: TakeWhole = take or self._opened
        self._clock = MonotonicClock()

    def verdicts(self) -> Iterator[CameraVerdict]:
        """Compare the cameras one after the other. No error of a camera or of a reference is raised."""
        until_ns = self._clock.now_ns() + round(self._settings.check.timeout_s * _NS)
        for used in self._settings.used:
            if used.kind != KIND:
                continue
            path, name = Path(used.file), Path(used.file).name
            try:
                device = name = read_calibration(path, KIND).device
                name = view_of(self._config, device)
                yield self._compared(name, path, device, until_ns)
            except ConfigError as error:
                yield CameraVerdict(name, Placement.SILENT, str(error))

    def objection(self) -> str:
        """Return the line that refuses a run with a moved camera; "" if it may go on.

        What could not be compared is logged, and is no objection.
        """
        check, moved = self._settings.check, []
        for verdict in self.verdicts():
            if verdict.placement is Placement.MOVED and check.moved == "refuse":
                moved.append(str(verdict))
            elif verdict.placement is Placement.IN_PLACE:
                logger.info("camera %s", verdict)
            else:
                logger.warning("camera %s", verdict)
        return f"camera {'; camera '.join(moved)}; {SETTING}=warn goes on" if moved else ""

    def refuse(self) -> None:
        """Refuse a run with a moved camera.

        Raises:
            CalibrationError: A camera was moved, and `calibration.check.moved` is `refuse`.
        """
        if objection := self.objection():
            raise CalibrationError(objection)

    def _compared(self, name: str, path: Path, device: str, until_ns: int) -> CameraVerdict:
        def take() -> NDArray[np.uint8]:
            return self._take(name, max((until_ns - self._clock.now_ns()) / _NS, 0.0))

        safety = self._config["safety"]
        middle_m = np.mean([safety["workspace_low_m"], safety["workspace_high_m"]], axis=0)
        return check_camera(name, path, take, self._settings, hand_eye_of(self._settings, device), middle_m.tolist())

    def _opened(self, name: str, patience_s: float) -> NDArray[np.uint8]:
        with open_camera(self._config, name, self._settings.pictures) as camera:
            return next_picture(camera, None, patience_s)[0]
