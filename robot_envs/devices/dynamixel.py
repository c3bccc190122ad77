"""Joint positions of a leader made of Dynamixel servos, through the package dynamixel-sdk. Nothing is written to them.

The present position of the X series is at address 132, four bytes, 4,096 to a turn (e-manual.robotis.com, XL330-M288,
control table). One instruction reads all servos. Offsets and signs follow the published GELLO: a joint is
`sign * (servo - offset)` (gello_software, gello/robots/dynamixel.py).
"""

from __future__ import annotations

import fcntl
import math
import termios
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.joint_source import JointReading, JointSource
from steadyhand.runtime.ranges import expect, expect_above, expect_at_least, expect_within

__all__ = ["DynamixelConfig", "DynamixelSource", "Lever"]

PROTOCOL = 2.0
POSITION, SIZE = 132, 4  # control table of the X series
RAD = 2.0 * math.pi / 4096
FIRST_TRIES = 5
LARGEST_ID = 252


@dataclass(frozen=True)
class Lever:
    """A servo that is squeezed or pressed, such as the trigger of a gripper.

    Attributes:
        id: Number of the servo.
        released_rad: Position at rest.
        pressed_rad: Position when it is pressed.
    """

    id: int
    released_rad: float
    pressed_rad: float

    def __post_init__(self) -> None:
        expect_within(self, 0, LARGEST_ID, "id")
        expect(self.released_rad != self.pressed_rad, "pressed_rad", "another position than released_rad", "the same")

    def share(self, position_rad: float) -> float:
        """Return the share to which it is pressed: 0 released, 1 pressed."""
        return (position_rad - self.released_rad) / (self.pressed_rad - self.released_rad)


@dataclass(frozen=True)
class DynamixelConfig:
    """The bus and its servos.

    Attributes:
        port: Serial port of the bus.
        baud: Its speed [bit/s].
        ids: Servos of the joints, from the base to the tool.
        signs: 1, or -1 for a servo that turns against its joint. One per joint.
        offsets_rad: Position of each servo where its joint is at 0.
        trigger: Servo of the gripper's trigger; null = none.
        buttons: Servos that are pressed; their places in this list are the numbers of the buttons.
        misses: Readings in a row without an answer after which the leader is lost.
    """

    port: str
    baud: int
    ids: tuple[int, ...]
    signs: tuple[int, ...]
    offsets_rad: tuple[float, ...]
    trigger: Lever | None
    buttons: tuple[Lever, ...]
    misses: int

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name in ("signs", "offsets_rad"):
            found = len(getattr(self, name))
            expect(found == n, name, f"one entry for each of {n} ids", found)
        expect(set(self.signs) <= {1, -1}, "signs", "1 or -1", self.signs)
        expect(all(0 <= servo <= LARGEST_ID for servo in self.ids), "ids", f"numbers in 0..{LARGEST_ID}", self.ids)
        expect(len(set(self.servos)) == len(self.servos), "ids", "each servo once, levers included", self.servos)
        expect_above(self, 0, "baud")
        expect_at_least(self, 1, "misses")

    @property
    def levers(self) -> tuple[Lever, ...]:
        """The trigger, if there is one, and the buttons."""
        return (*([] if self.trigger is None else [self.trigger]), *self.buttons)

    @property
    def servos(self) -> tuple[int, ...]:
        """Numbers of all servos."""
        return (*self.ids, *(lever.id for lever in self.levers))


class DynamixelSource(JointSource):
    """A bus of Dynamixel servos.

    Args:
        config: Bus and servos.
    """

    settings_type = DynamixelConfig
    name = "dynamixel"

    def __init__(self, config: DynamixelConfig) -> None:
        self._config = config
        self._port: Any = None
        self._missed = 0

    def open(self) -> JointReading:
        """Open the port, and return the first reading. Raises as `JointSource.open`."""
        config = self._config
        try:
            import dynamixel_sdk as sdk
        except ModuleNotFoundError:
            raise DeviceError(
                "leader: expected the package dynamixel-sdk, found none; pip install '.[leader]'"
            ) from None
        self._port = port = sdk.PortHandler(config.port)
        if not port.setBaudRate(config.baud):
            raise OSError(f"baud: expected a speed of the servos, such as 57600 or 1000000, found {config.baud}")
        _lock(port.ser, config.port)
        self._packets = sdk.PacketHandler(PROTOCOL)
        self._success = sdk.COMM_SUCCESS
        self._group = sdk.GroupSyncRead(port, self._packets, POSITION, SIZE)
        for servo in config.servos:
            self._group.addParam(servo)
        for _ in range(FIRST_TRIES):
            if (reading := self._read()) is not None:
                return reading
        silent = [servo for servo in config.servos if self._packets.ping(port, servo)[1] != self._success]
        raise OSError(
            f"{config.port}: expected answers of servos {_listed(config.servos)}, found none of {_listed(silent)}; "
            "switch the power on, check the wires, device.source.ids and device.source.baud"
        )

    def read(self) -> JointReading | None:
        """Return a new reading; None when an answer was missed. Raises OSError when the leader is lost."""
        reading = self._read()
        self._missed = self._missed + 1 if reading is None else 0
        if self._missed >= self._config.misses:
            raise OSError(f"{self._config.port}: no answer of the servos in {self._missed} readings")
        return reading

    def close(self) -> None:
        """Close the port. Further calls have no effect."""
        if self._port is not None and self._port.ser is not None:
            self._port.closePort()
        self._port = None

    def _read(self) -> JointReading | None:
        config = self._config
        try:
            result = self._group.txRxPacket()
        except termios.error as error:  # of a port that was unplugged; it is no OSError
            raise OSError(f"{config.port}: {error.args[-1]}") from error
        self._port.is_using = False  # the package leaves the port reserved after an error
        if result != self._success:
            return None
        at = {servo: _signed(self._group.getData(servo, POSITION, SIZE)) * RAD for servo in config.servos}
        joints = np.array(config.signs) * (np.array([at[servo] for servo in config.ids]) - config.offsets_rad)
        squeezed = None if config.trigger is None else config.trigger.share(at[config.trigger.id])
        down = (number for number, lever in enumerate(config.buttons) if lever.share(at[lever.id]) > 0.5)
        return JointReading(joints, squeezed, frozenset(down))


def _lock(serial: Any, port: str) -> None:
    try:
        fcntl.flock(serial.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(f"{port}: expected a leader of its own for each arm, found it in use; correct the port") from None


def _signed(word: int) -> int:
    return word - (1 << 32) if word & (1 << 31) else word


def _listed(servos: Iterable[int]) -> str:
    return ", ".join(map(str, servos))
