"""A person who leads the arm with an input device, outside of an episode."""

from __future__ import annotations

import numpy as np

from steadyhand.calibration.cell import Cell
from steadyhand.robot_envs.devices.operator import DeviceOperator
from steadyhand.robot_envs.frames import pose_compose, pose_from_vector
from steadyhand.robot_envs.safety.held_pose import HeldPose

__all__ = ["Leader"]

_MOTION = 6  # entries of an action that move the arm


class Leader:
    """Turns the device's readings into steps of the tool in its own frame, as in an episode.

    Args:
        cell: The arm.
        operator: The device, with its rules for rest and silence.
        step_m: Translation of the tool in one period at full deflection.
        step_rad: Rotation of the tool in one period at full deflection.
    """

    def __init__(self, cell: Cell, operator: DeviceOperator, step_m: float, step_rad: float) -> None:
        self._cell, self._operator = cell, operator
        self._scale = np.repeat([step_m, step_rad], 3)
        self._held = HeldPose(1)

    def begin(self) -> None:
        """Start after an enable: the device has to be at rest before it moves the arm."""
        self._operator.reset({})
        self._held.release()

    def step(self) -> None:
        """Move by one step, or stand still while the device is at rest, silent, or pushed since before the enable.

        Raises:
            CellStopError: A stop is latched; the arm holds.
        """
        wish = self._operator.act({}, {}, None)
        delta = np.zeros(_MOTION)
        if isinstance(wish, np.ndarray):
            delta = wish[:_MOTION].astype(np.float64) * self._scale
        reference = self._held.reference(self._cell.state.tcp_pose, np.array([bool(delta.any())]))
        self._cell.step(pose_compose(reference[0], pose_from_vector(delta)))
