"""Supervision of a sensor: age, shape and finiteness of its readings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.robot_envs.sensor import Sensor

__all__ = ["SensorWatch"]


class SensorWatch:
    """Supervision of one sensor: it reads the newest values and reports faults.

    Args:
        sensor: The sensor, connected by the caller.

    Attributes:
        name: Name of the sensor.
        values: The last valid reading, float32 (n,).
    """

    def __init__(self, sensor: Sensor) -> None:
        self.name = sensor.name
        self.values: NDArray[np.float32] = np.zeros(sensor.vector.size, np.float32)
        self._sensor = sensor
        self._max_age_ns = round(sensor.max_age_s * 1e9)

    def look(self, now_ns: int) -> StopReason | None:
        """Store the newest reading in `values`, and return its fault.

        After a reading of another shape or dtype, or one that is not finite, `values` keeps the last valid one.
        """
        reading = self._sensor.latest()
        values = reading.values
        if values.shape != self.values.shape or values.dtype != self.values.dtype or not np.isfinite(values).all():
            return StopReason.SENSOR_UNFIT
        self.values = values
        # A stamp from the future is from another clock, and is as invalid as an old one.
        return StopReason.SENSOR_STALE if abs(now_ns - reading.stamp_ns) > self._max_age_ns else None
