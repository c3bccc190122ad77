"""Spread of a robot's rotations over a set of poses, and the pose that would improve it most.

Hand-eye calibration needs rotations about two axes at least (Tsai and Lenz 1989, section II-B): with one axis, the
camera's position along it stays unknown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from steadyhand.calibration.rotations import rotvec_from_matrix
from steadyhand.robot_envs.frames import Array
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.camera_calibration_settings import HandEyeConfig

__all__ = ["PoseSpread", "PoseSpreadError", "check_spread", "spread_of", "suggestion"]

SUGGESTED_DEG = 30.0


class PoseSpreadError(CalibrationError):
    """A set of poses that does not determine the camera's pose; the line says which pose to add."""


@dataclass(frozen=True)
class PoseSpread:
    """Spread of the rotations between all pairs of poses.

    Attributes:
        largest_deg: Largest rotation between two poses [deg].
        axes: The principal axes of the rotations, the most used first; rows, tool frame for a camera on the tool, base
            frame for a camera beside the robot. Shape (3, 3).
        about_deg: Root mean square of the rotations about each of these [deg]. Shape (3,).
    """

    largest_deg: float
    axes: Array
    about_deg: Array


def spread_of(rotations: Array) -> PoseSpread:
    """Return the spread of rotations (n, 3, 3), n >= 2: of the tool in base, or of the base in tool."""
    first, second = np.triu_indices(len(rotations), 1)
    turns = rotvec_from_matrix(np.swapaxes(rotations[second], -1, -2) @ rotations[first])
    squares, vectors = np.linalg.eigh(turns.T @ turns / len(turns))
    about = np.degrees(np.sqrt(np.maximum(squares[::-1], 0.0)))
    return PoseSpread(float(np.degrees(np.linalg.norm(turns, axis=1).max())), vectors[:, ::-1].T, about)


def check_spread(rotations: Array, mount: str, wanted: HandEyeConfig) -> PoseSpread:
    """Check that a set of poses determines the camera's pose.

    Args:
        rotations: As in `spread_of`. Shape (n, 3, 3).
        mount: tool = the camera moves with the tool; base = it stands beside the robot.
        wanted: The limits.

    Raises:
        PoseSpreadError: There are too few poses, they turn too little, or about one axis only.
    """
    if len(rotations) < wanted.min_poses:
        hint = f"; {suggestion(spread_of(rotations), mount)}" if len(rotations) > 2 else ""
        raise PoseSpreadError(f"expected at least {wanted.min_poses} poses, found {len(rotations)}{hint}")
    spread = spread_of(rotations)
    if spread.largest_deg < wanted.min_rotation_deg:
        raise PoseSpreadError(
            f"expected poses turned by at least {wanted.min_rotation_deg:g} deg, found at most "
            f"{spread.largest_deg:.1f} deg; {suggestion(spread, mount)}"
        )
    if spread.about_deg[1] < wanted.min_second_axis_deg:
        raise PoseSpreadError(
            f"expected rotations about two axes, at least {wanted.min_second_axis_deg:g} deg about the second, found "
            f"{spread.about_deg[1]:.1f} deg; {suggestion(spread, mount)}"
        )
    return spread


def suggestion(spread: PoseSpread, mount: str) -> str:
    """Return the pose that would help most: a rotation about the axis that the set turns about least."""
    axis = spread.axes[2]
    largest = int(np.argmax(np.abs(axis)))
    axis = axis * math.copysign(1.0, axis[largest])
    text = ", ".join(f"{value:.1f}" for value in np.round(axis, 1) + 0.0)
    return f"add poses turned by {SUGGESTED_DEG:g} deg to either side about the axis [{text}] of the {mount} frame"
