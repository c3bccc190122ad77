"""The start pose of an episode that the caller of a reset gives in place of the drawn one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotError

__all__ = ["START_POSE", "start_pose"]

START_POSE = "start_pose"  # key of the reset's options


def start_pose(drawn: Array, options: Mapping[str, Any] | None) -> Array:
    """Return the start pose of the options, or the drawn one; base frame, shape (n_arms, 7), [m], xyzw.

    Raises:
        RobotError: The pose of the options has another shape, or is not finite.
    """
    if not options or START_POSE not in options:
        return drawn
    pose: Array = np.asarray(options[START_POSE], np.float64)
    if pose.shape != drawn.shape or not np.isfinite(pose).all():
        raise RobotError(
            f"{START_POSE}: expected finite poses of shape {drawn.shape}, found shape {pose.shape}; "
            "give 7 numbers an arm"
        )
    return pose
