"""A start for the refinement of a hand-eye calibration that outlier poses do not spoil.

Least median of squares (Rousseeuw 1984): the closed forms solve all poses, and many subsets of three; the estimate
with the smallest median reprojection error over the views is the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from steadyhand.calibration.axxb import CLOSED_FORMS, park_martin, relative_motions
from steadyhand.calibration.reprojection import Estimate, Views, view_errors
from steadyhand.calibration.rotations import Rigid, compose, nearest_rotation
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import HandEyeConfig

__all__ = ["robust_start"]

SUBSET = 3  # poses: two motions about different axes
SEED = 0  # the same pictures give the same result


def robust_start(views: Views, seen: Rigid, camera: Array, wanted: HandEyeConfig) -> Estimate:
    """Return the estimate with the smallest median error.

    Args:
        views: The views.
        seen: board_in_camera of each view.
        camera: `CameraModel.vector`. Shape (9,).
        wanted: Number of subsets.

    Raises:
        CalibrationError: No subset gives an estimate.
    """
    best, least = None, np.inf
    for estimate in _estimates(views.robot, seen, camera, wanted.samples):
        error = float(np.median(view_errors(estimate, views)))
        if error < least:
            best, least = estimate, error
    if best is None:
        raise CalibrationError("expected poses that give a camera's pose, found none; record them again")
    return best


def _estimates(robot: Rigid, seen: Rigid, camera: Array, samples: int) -> Iterator[Estimate]:
    rng = np.random.default_rng(SEED)
    everything = np.arange(len(robot[0]))
    for form in CLOSED_FORMS.values():
        yield from _solved(form, everything, robot, seen, camera)
    for _ in range(samples):
        yield from _solved(park_martin, rng.choice(everything, SUBSET, replace=False), robot, seen, camera)


def _solved(
    form: Callable[[Rigid, Rigid], Rigid], chosen: NDArray[np.int64], robot: Rigid, seen: Rigid, camera: Array
) -> Iterator[Estimate]:
    robot_, seen_ = (robot[0][chosen], robot[1][chosen]), (seen[0][chosen], seen[1][chosen])
    try:
        eye = form(*relative_motions(robot_, seen_))
    except (ValueError, np.linalg.LinAlgError):  # a subset that turns about one axis
        return
    turns, shifts = compose(robot_, compose(eye, seen_))
    board = nearest_rotation(turns.sum(axis=0)), np.median(shifts, axis=0)
    if np.isfinite(eye[0]).all() and np.isfinite(eye[1]).all():
        yield Estimate(eye, board, camera)
