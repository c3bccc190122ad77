"""The verdict on one camera: in place, moved, or not compared, by its reference and a picture of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.drift import Drift, NotFoundError, NothingToCompareError
from steadyhand.calibration.reference import compare
from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.calibration_file import Calibration, CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings

__all__ = ["CameraVerdict", "Placement", "check_camera", "hand_eye_of"]

ADVICE = "calibrate hand-eye again and take a new reference, or move it back"


class Placement(Enum):
    """Place of a camera relative to its reference."""

    IN_PLACE = "in place"
    MOVED = "MOVED"
    UNKNOWN = "not compared"
    SILENT = "no picture"


@dataclass(frozen=True)
class CameraVerdict:
    """Result of the check of one camera.

    Attributes:
        camera: Name of the view.
        placement: In place, moved, not compared, or without a picture.
        text: The findings in one line, without the camera's name.
    """

    camera: str
    placement: Placement
    text: str

    def __str__(self) -> str:
        """Return the result with the camera's name, in one line."""
        return f"{self.camera}: {self.placement.value}: {self.text}"


def check_camera(
    name: str,
    reference: Path,
    take: Callable[[], NDArray[np.uint8]],
    settings: CalibrationSettings,
    hand_eye: Calibration | None = None,
    middle_m: Sequence[float] | None = None,
) -> CameraVerdict:
    """Compare a camera's present picture with its reference.

    Args:
        name: Name of the view, for the result.
        reference: File of the reference.
        take: Returns the camera's whole picture (h, w, 3) uint8, at the size of the reference. Raises CameraError or
            CalibrationError.
        settings: Search of the comparison.
        hand_eye: Pose of the camera in the base frame, if it is known, for a distance in mm.
        middle_m: Middle of the workspace, base frame. Shape (3,); [m].

    Raises:
        CalibrationError: The reference itself cannot be used.
    """
    try:
        picture = take()
    except (CameraError, CalibrationError) as error:
        return CameraVerdict(name, Placement.SILENT, str(error))
    try:
        drift = compare(reference, picture, settings.drift)
    except NothingToCompareError as error:
        return CameraVerdict(name, Placement.UNKNOWN, str(error))
    except NotFoundError as error:
        return CameraVerdict(name, Placement.MOVED, f"{error}; {ADVICE}")
    if not drift.moved:
        text = f"{drift.resting} of {drift.expected} edge points have not moved"
        return CameraVerdict(name, Placement.IN_PLACE, text)
    return CameraVerdict(name, Placement.MOVED, f"{_shift_text(drift, settings, hand_eye, middle_m)}; {ADVICE}")


def hand_eye_of(settings: CalibrationSettings, device: str) -> Calibration | None:
    """Return the hand-eye calibration of a device among the files that the configuration applies; None without one.

    Raises:
        CalibrationError: The file cannot be read.
    """
    for used in settings.used:
        if used.kind == "hand_eye" and (found := read_calibration(Path(used.file), "hand_eye")).device == device:
            return found
    return None


def _shift_text(
    drift: Drift, settings: CalibrationSettings, hand_eye: Calibration | None, middle_m: Sequence[float] | None
) -> str:
    text = f"its picture has shifted by {drift.motion_px:.1f} px since the reference"
    if hand_eye is None or middle_m is None or hand_eye.values.get("frame") != "base":
        return text
    distance_m = float(np.linalg.norm(np.asarray(middle_m) - np.asarray(hand_eye.values["position_m"])))
    focal_px = float(hand_eye.values["fx_px"]) * settings.pictures.width / float(hand_eye.values["width"])
    shift_mm = 1e3 * drift.motion_px * distance_m / focal_px
    return f"{text}, about {shift_mm:.1f} mm in the middle of the workspace"
