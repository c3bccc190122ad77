"""The contract of a sensor beside robot and cameras: touch, force, distance. It adds one vector to the observation.

A sensor is one file here, or in a package of the user's own, and a YAML file in `configs/sensor/`, where the field's
`entry_point` names the class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.tasks.task import ObservedVector
from steadyhand.runtime.component import Component, find_component
from steadyhand.runtime.ranges import expect_above

__all__ = ["Reading", "Sensor", "SensorConfig", "SensorError", "find_sensor"]


class SensorError(RuntimeError):
    """Error of a sensor that is missing or delivers no readings; the message says how to correct it."""


@dataclass(frozen=True)
class SensorConfig:
    """Settings of every sensor; a subclass adds its own.

    Attributes:
        max_age_s: Largest age of a reading; an older one stops the robot.
    """

    max_age_s: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_age_s")


@dataclass(frozen=True)
class Reading:
    """One reading.

    Attributes:
        values: float32, shape (n,), in the unit and frame of the sensor's `vector`.
        stamp_ns: Local monotonic receive time [ns].
    """

    values: NDArray[np.float32]
    stamp_ns: int


class Sensor(ABC):
    """A source of numbers that never blocks the control loop.

    The class is constructed from its settings, the field's name, and the world in which the robot is simulated. For a
    real robot the world is None.

    Attributes:
        settings_type: The dataclass that the field's settings are read into.
        name: Name of the field; its key in the observation.
        vector: Size, bound, unit, frame and typical scale of a reading.
        max_age_s: Largest age of a reading; an older one stops the robot.
    """

    settings_type: ClassVar[type[Any]]
    name: str
    vector: ObservedVector
    max_age_s: float

    @abstractmethod
    def connect(self) -> None:
        """Open the sensor, and wait for its first reading. Raises SensorError when there is none."""

    @abstractmethod
    def latest(self) -> Reading:
        """Return the newest reading; never wait for the next one. Raises SensorError before ``connect``."""

    @abstractmethod
    def close(self) -> None:
        """Close the sensor."""


def find_sensor(name: str, values: Mapping[str, Any]) -> Component[Sensor]:
    """Find the class of one field, and build its settings. `make(name, world)` then constructs the sensor.

    Raises:
        ConfigError: The values name no sensor, or a setting is wrong.
    """
    return find_component(values, Sensor, f"sensor.fields.{name}")  # type: ignore[type-abstract]
