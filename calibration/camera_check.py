"""The verdict on one camera: in place, moved, or not compared, by its reference and a picture of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.drift import Drift, NotFoundError, NothingToCompareError
from steadyhand.calibration.orientation import angles_from
from steadyhand.calibration.reference import ArmPose, arm_pose_of, compare
from steadyhand.robot_envs.camera import CameraError
from steadyhand.runtime.calibration_file import Calibration, CalibrationError, read_calibration
from steadyhand.runtime.calibration_settings import CalibrationSettings

__all__ = ["CameraVerdict", "Placement", "check_camera", "hand_eye_of"]

COMPARE = "steadyhand calibrate check --go compares it there"
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
    arm: ArmPose | None = None,
    hand_eye: Calibration | None = None,
    middle_m: Sequence[float] | None = None,
) -> CameraVerdict:
    """Compare a camera's present picture with its reference.

    A camera on the arm is compared only near the pose of its reference. The motion that the arm's distance from that
    pose may give the picture does not count.

    Args:
        name: Name of the view, for the result.
        reference: File of the reference.
        take: Returns the camera's whole picture (h, w, 3) uint8, at the size of the reference. Raises CameraError or
            CalibrationError.
        settings: Search of the comparison.
        arm: Measured pose of the arm; None = not known.
        hand_eye: Pose of the camera in the base frame, if it is known, for a distance in mm.
        middle_m: Middle of the workspace, base frame. Shape (3,); [m].

    Raises:
        CalibrationError: The reference itself cannot be used.
    """
    expected, drift_settings, allowed = arm_pose_of(read_calibration(reference, "reference")), settings.drift, ""
    if expected is not None:
        if arm is None or arm.tool.shape != expected.tool.shape:
            return CameraVerdict(name, Placement.UNKNOWN, f"it is on the arm, whose pose is not known here; {COMPARE}")
        slack_px, distance = _arm_motion(expected, arm, settings)
        if slack_px > settings.check.max_arm_px:
            return CameraVerdict(
                name, Placement.UNKNOWN, f"the arm is {distance} from the pose of the reference; {COMPARE}"
            )
        drift_settings = replace(settings.drift, max_motion_px=settings.drift.max_motion_px + slack_px)
        allowed = f" (the arm's place explains up to {slack_px:.1f} px)"
    try:
        picture = take()
    except (CameraError, CalibrationError) as error:
        return CameraVerdict(name, Placement.SILENT, str(error))
    try:
        drift = compare(reference, picture, drift_settings)
    except NothingToCompareError as error:
        return CameraVerdict(name, Placement.UNKNOWN, str(error))
    except NotFoundError as error:
        return CameraVerdict(name, Placement.MOVED, f"{error}; {ADVICE}")
    if not drift.moved:
        if expected is not None:
            text = f"its picture is that of the reference{allowed}"
            return CameraVerdict(name, Placement.IN_PLACE, text)
        text = f"{drift.resting} of {drift.expected} edge points have not moved"
        return CameraVerdict(name, Placement.IN_PLACE, text)
    shift = _shift_text(drift, settings, hand_eye, middle_m)
    return CameraVerdict(name, Placement.MOVED, f"{shift}{allowed}; {ADVICE}")


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


def _arm_motion(expected: ArmPose, found: ArmPose, settings: CalibrationSettings) -> tuple[float, str]:
    """Return the largest motion of the picture by the arm's distance from a pose [px], and that distance as text.

    A turn about the tool centre point turns the camera, and moves it by at most as much as if it were `near_m` away.
    The fingers of the gripper are part of the picture.
    """
    check = settings.check
    way_m = float(np.linalg.norm(found.tool[:, :3] - expected.tool[:, :3], axis=1).max())
    turn_rad = max(
        float(angles_from(at[3:], to[None, 3:])[0]) for at, to in zip(found.tool, expected.tool, strict=True)
    )
    opening_m = float(np.abs(found.openings - expected.openings).max())
    motion_px = check.focal_widths * settings.pictures.width * ((way_m + opening_m) / check.near_m + 2.0 * turn_rad)
    text = f"{1e3 * way_m:.1f} mm and {np.degrees(turn_rad):.2f} deg"
    return motion_px, f"{text}, its gripper {1e3 * opening_m:.1f} mm," if opening_m > 0.0005 else text
