"""Check that the cameras of a configuration stand where they stood at their references."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibrate.picture_source import next_picture, open_camera, view_of, whole_view
from steadyhand.calibration.camera_check import CameraVerdict, Placement, check_camera, hand_eye_of
from steadyhand.calibration.reference import ArmPose, arm_pose_of
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.hardware import find_camera, find_robot
from steadyhand.robot_envs.robot import RobotState
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
        references: Files of references; None = those of `calibration.files`.
    """

    def __init__(
        self, config: Mapping[str, Any], take: TakeWhole | None = None, references: Sequence[Path] | None = None
    ) -> None:
        self._config, self._given = config, references
        self._settings = build(CalibrationSettings, config["calibration"], "calibration")
        self._take: TakeWhole = take or self._opened
        listed = [Path(used.file) for used in self._settings.used if used.kind == KIND]
        self._references = listed if references is None else list(references)
        self._on_arm = {path for path in self._references if _is_on_arm(path)}
        self._pending = set(self._on_arm)  # cameras on the arm that were not found in place yet
        self._said: dict[Path, Placement] = {}
        self._clock = MonotonicClock()

    @property
    def on_arm(self) -> tuple[Path, ...]:
        """References of cameras on the arm."""
        return tuple(path for path in self._references if path in self._on_arm)

    def views(self) -> tuple[str, ...]:
        """Return the views of the cameras.

        Raises:
            ConfigError: A camera has no view.
        """
        return tuple(view_of(self._config, read_calibration(path, KIND).device) for path in self._references)

    def with_pictures(self, take: TakeWhole) -> CameraCheck:
        """Return the same check with another source of whole pictures."""
        return CameraCheck(self._config, take, self._given)

    def verdicts(self, state: RobotState | None = None) -> Iterator[CameraVerdict]:
        """Compare the cameras one after the other. No error of a camera or of a reference is raised.

        Args:
            state: Measured state of the arm, for cameras on it; None = not known.
        """
        for _, verdict in self._found(self._references, state):
            yield verdict

    def objection(self, state: RobotState | None = None) -> str:
        """Return the line that refuses a run with a moved camera; "" if it may go on.

        What could not be compared is logged, and is no objection. `state` is as in `verdicts`.
        """
        return self._judged(self._references, state)

    def objection_at_start(self, state: RobotState) -> str:
        """Return the objection to the cameras on the arm that no comparison of this run has found in place yet.

        Call it with the arm at the start of each episode: before the first one it may have been elsewhere.
        """
        return self._judged([path for path in self._references if path in self._pending], state)

    def guard(self, env: RobotEnv) -> None:
        """Compare now, and let the environment ask again at the start of episodes and after breaks.

        Raises:
            CalibrationError: A camera was moved, and `calibration.check.moved` is `refuse`.
        """
        if objection := self.objection(env.robot.read()):
            raise CalibrationError(objection)
        env.in_place, env.in_place_at_start = self.objection, self.objection_at_start

    def _judged(self, references: Sequence[Path], state: RobotState | None) -> str:
        moved = []
        for path, verdict in self._found(references, state):
            if verdict.placement is Placement.MOVED and self._settings.check.moved == "refuse":
                moved.append(str(verdict))
                continue
            if verdict.placement is Placement.IN_PLACE:
                self._pending.discard(path)
            if self._said.get(path) is not verdict.placement:
                log = logger.info if verdict.placement is Placement.IN_PLACE else logger.warning
                log("camera %s", verdict)
            self._said[path] = verdict.placement
        return f"camera {'; camera '.join(moved)}; {SETTING}=warn goes on" if moved else ""

    def _found(self, references: Sequence[Path], state: RobotState | None) -> Iterator[tuple[Path, CameraVerdict]]:
        until_ns = self._clock.now_ns() + round(self._settings.check.timeout_s * _NS)
        for path in references:
            name = path.name
            try:
                device = name = read_calibration(path, KIND).device
                name = view_of(self._config, device)
                yield path, self._compared(name, path, device, until_ns, state)
            except ConfigError as error:
                yield path, CameraVerdict(name, Placement.SILENT, str(error))

    def _compared(self, name: str, path: Path, device: str, until_ns: int, state: RobotState | None) -> CameraVerdict:
        def take() -> NDArray[np.uint8]:
            return self._take(name, max((until_ns - self._clock.now_ns()) / _NS, 0.0))

        safety = self._config["safety"]
        middle_m = np.mean([safety["workspace_low_m"], safety["workspace_high_m"]], axis=0)
        hand_eye = hand_eye_of(self._settings, device)
        arm = None if state is None else ArmPose.of(state)
        return check_camera(name, path, take, self._settings, arm, hand_eye, middle_m.tolist())

    def _opened(self, name: str, patience_s: float) -> NDArray[np.uint8]:
        with open_camera(self._config, name, self._settings.pictures) as camera:
            return next_picture(camera, None, patience_s)[0]


def _is_on_arm(path: Path) -> bool:
    """Return whether a reference is that of a camera on the arm; a file that cannot be read is reported later."""
    try:
        return arm_pose_of(read_calibration(path, KIND)) is not None
    except CalibrationError:
        return False
