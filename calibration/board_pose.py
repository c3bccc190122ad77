"""Pose of the board in the camera's frame, from one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steadyhand.calibration.board import Corners
from steadyhand.calibration.camera_model import CameraModel
from steadyhand.calibration.rotations import Rigid
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError

__all__ = ["board_poses"]


def board_poses(shown: Sequence[Corners], points: Array, model: CameraModel) -> Rigid:
    """Return board_in_camera of each view: the better of the plane's two poses (Collins and Bartoli 2014), refined.

    Args:
        shown: Corners of n views.
        points: All corners of the board [m]. Shape (all, 3).
        model: The camera's intrinsics.

    Raises:
        CalibrationError: A view has too few corners for a pose.
    """
    import cv2

    bend = np.array(model.distortion)
    rotations, translations = [], []
    for number, corners in enumerate(shown, start=1):
        places = corners.among(points)
        if len(places) < 4:
            raise CalibrationError(f"picture {number}: expected at least 4 corners of the board, found {len(places)}")
        found, turn, shift = cv2.solvePnP(places, corners.pixels, model.matrix, bend, flags=cv2.SOLVEPNP_IPPE)
        if not found:
            raise CalibrationError(f"picture {number}: expected a pose of the board, found corners that allow none")
        turn, shift = cv2.solvePnPRefineLM(places, corners.pixels, model.matrix, bend, turn, shift)
        rotations.append(cv2.Rodrigues(turn)[0])
        translations.append(shift.ravel())
    return np.array(rotations), np.array(translations)
