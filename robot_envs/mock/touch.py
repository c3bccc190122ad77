"""A simulated touch sensor: the normal force on each finger of the mock's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from steadyhand.robot_envs.sensor import Reading, Sensor, SensorConfig, SensorError
from steadyhand.robot_envs.tasks.task import ObservedVector
from steadyhand.runtime.ranges import expect_above

if TYPE_CHECKING:
    from steadyhand.robot_envs.mock.world import World

__all__ = ["FingerTouch", "FingerTouchConfig"]

FINGERS = ("left_finger", "right_finger")


@dataclass(frozen=True)
class FingerTouchConfig(SensorConfig):
    """Settings of the touch sensor.

    Attributes:
        bound_n: Largest force that it reports [N].
        scale_n: Typical force [N], by which the policy's input is scaled.
    """

    bound_n: float
    scale_n: float

    def __post_init__(self) -> None:
        super().__post_init__()
        expect_above(self, 0.0, "bound_n", "scale_n")


class FingerTouch(Sensor):
    """Touch sensor: sum of the normal forces on each finger, left then right.

    Args:
        config: Bound and scale.
        name: Name of the field.
        world: World of the mock robot.
    """

    settings_type = FingerTouchConfig

    def __init__(self, config: FingerTouchConfig, name: str, world: World | None) -> None:
        self.name, self.max_age_s = name, config.max_age_s
        self.vector = ObservedVector(len(FINGERS), config.bound_n, "N", "finger", (config.scale_n,) * len(FINGERS))
        self._bound_n, self._world = config.bound_n, world
        self._connected = False

    def connect(self) -> None:
        """Check that the robot is simulated; there is nothing to open.

        Raises:
            SensorError: The robot is not simulated.
        """
        if self._world is None:
            raise SensorError(
                f"sensor {self.name!r}: expected a simulated robot, found a real one; name the class of a real sensor "
                f"in sensor.fields.{self.name}.entry_point"
            )
        self._connected = True

    def latest(self) -> Reading:
        """Return the present forces [N]. Shape (2,)."""
        if self._world is None or not self._connected:
            raise SensorError(f"sensor {self.name!r} is not connected; call connect() first")
        forces = [min(self._world.contact_force(finger), self._bound_n) for finger in FINGERS]
        return Reading(np.array(forces, np.float32), self._world.clock.now_ns())

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
        self._connected = False
