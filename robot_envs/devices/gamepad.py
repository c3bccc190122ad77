"""A gamepad or joystick, through the joystick interface of Linux: /dev/input/js0."""

from __future__ import annotations

import glob
import os
import select
import struct
from dataclasses import dataclass
from functools import partial
from typing import Literal

from robot_envs.devices.axes_device import AxesDevice
from robot_envs.devices.device import check_times
from robot_envs.devices.handle import Handle
from robot_envs.devices.mapping import MappingConfig
from robot_envs.devices.reader import Reader
from runtime.clock import Clock, MonotonicClock

__all__ = ["GamepadConfig", "GamepadLink", "make_gamepad"]

EVENT = struct.Struct("=IhBB")  # ms, value, type, number
BUTTON, AXIS = 0x01, 0x02  # a first event of each, on opening, has 0x80 too
EVENTS_AT_ONCE = 64


@dataclass(frozen=True)
class GamepadConfig:
    """Where the gamepad is, and what its sticks mean.

    Attributes:
        kind: gamepad.
        pace: The pace of a simulated robot that this device drives.
        max_age_s: A stick that is off centre and has not changed for so long has fallen silent.
        path: Of the device; with wildcards, the first one that is there.
        retry_s: Time between two attempts to open a device that was lost.
        mapping: What axes and buttons mean.
    """

    kind: Literal["gamepad"]
    pace: Literal["realtime", "lockstep"]
    max_age_s: float
    path: str
    retry_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        check_times(self, "max_age_s", "retry_s")


def make_gamepad(config: GamepadConfig, clock: Clock | None = None) -> AxesDevice:
    """Return the device, not yet connected."""
    clock = clock or MonotonicClock()
    handle = Handle(config.mapping.buttons, clock)
    reader = Reader("gamepad", partial(GamepadLink, config.path, handle), handle.lose, config.retry_s)
    return AxesDevice("gamepad", "expected a gamepad, found none; plug it in", reader, handle, config.mapping, clock)


class GamepadLink:
    """The device file, open.

    On opening, the kernel repeats where every axis stands. That is no motion of a hand: a trigger that has never been
    touched is reported half way, and a stick that is still held after the gamepad was plugged in again must not move
    the robot. An axis counts from its first change on.

    Args:
        pattern: Path of the device, or a pattern for it.
        handle: Takes what sticks and buttons do.

    Raises:
        OSError: It is not there.
    """

    def __init__(self, pattern: str, handle: Handle) -> None:
        found = sorted(glob.glob(pattern))
        if not found:
            raise FileNotFoundError(f"expected a device at {pattern}, found none; plug it in, see docs/devices.md")
        self._file = os.open(found[0], os.O_RDONLY | os.O_NONBLOCK)
        self._handle = handle
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        handle.found()

    def serve(self, timeout_s: float) -> None:
        """Take in events. Raises OSError when the device was unplugged."""
        if not self._poll.poll(timeout_s * 1e3):
            return
        data = os.read(self._file, EVENTS_AT_ONCE * EVENT.size)
        if not data:
            raise OSError("the device was closed")
        for _, value, kind, number in EVENT.iter_unpack(data[: len(data) // EVENT.size * EVENT.size]):
            if kind == AXIS:
                self._handle.move_one(number, value)
            elif kind == BUTTON:
                self._handle.press(number, bool(value))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
