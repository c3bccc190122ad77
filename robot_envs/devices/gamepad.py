"""A gamepad or joystick, through the joystick interface of Linux: /dev/input/js0."""

from __future__ import annotations

import glob
import os
import select
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceSettings, check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["Gamepad", "GamepadConfig", "GamepadLink"]

EVENT = struct.Struct("=IhBB")  # ms, value, type, number
BUTTON, AXIS = 0x01, 0x02  # the first event of each, on opening, also has 0x80
FIRST = 0x80
EVENTS_AT_ONCE = 64
START_S = 0.5  # the kernel reports the state of all axes and buttons at once
ABSENT = "expected a gamepad, found none; plug it in"


@dataclass(frozen=True)
class GamepadConfig(DeviceSettings):
    """Path of the gamepad, and the meaning of its sticks.

    Attributes:
        path: Path of the device; with wildcards, the first match.
        retry_s: Time between two attempts to open a lost device.
        neutral_s: Time at rest after which the device counts as released.
        mapping: Meaning of axes and buttons.
    """

    path: str
    retry_s: float
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "retry_s", "neutral_s")


class Gamepad(AxesDevice):
    """A gamepad for one arm.

    Args:
        config: Path and mapping.
        clock: Monotonic clock.
    """

    settings_type = GamepadConfig
    name = "gamepad"
    address = ("path",)
    remedy = "plug the gamepad in, or name it with device.path=/dev/input/js1"

    def __init__(self, config: GamepadConfig, clock: Clock | None = None) -> None:
        clock = clock or MonotonicClock()
        handle = Handle(config.mapping, clock)
        open_link = partial(GamepadLink, config.path, handle, config.mapping, clock)
        reader = Reader(self.name, open_link, handle.lose, config.retry_s)
        super().__init__(self.name, ABSENT, reader, handle, config.mapping, clock, config.neutral_s)


class GamepadLink:
    """The open device file.

    On opening, the kernel reports the position of every axis and the state of every button. A gamepad without one of
    the mapped axes is refused. A stick that is deflected on opening counts as pushed, and moves nothing until it is
    released. A button that is down on opening does not count as a press.

    Args:
        pattern: Path of the device, or a pattern for it.
        handle: Receives the changes of axes and buttons.
        mapping: The axes that the gamepad must have.
        clock: Monotonic clock.

    Raises:
        OSError: The gamepad is missing, or has too few axes.
    """

    def __init__(self, pattern: str, handle: Handle, mapping: MappingConfig, clock: Clock) -> None:
        found = sorted(glob.glob(pattern))
        if not found:
            raise FileNotFoundError(f"expected a device at {pattern}, found none; plug it in, see docs/devices.md")
        self._file = os.open(found[0], os.O_RDONLY | os.O_NONBLOCK)
        self._handle = handle
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        try:
            handle.move(self._first_axes(mapping, clock))
        except OSError:
            self.close()
            raise

    def serve(self, timeout_s: float) -> None:
        """Process events. Raises OSError when the device was unplugged."""
        for value, kind, number in self._events(timeout_s):
            if kind & ~FIRST == AXIS:
                self._handle.move_one(number, value)
            elif kind == BUTTON:
                self._handle.press(number, bool(value))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _first_axes(self, mapping: MappingConfig, clock: Clock) -> list[float]:
        """Return the initial axis values. Raises OSError when a mapped axis is missing."""
        axes: dict[int, float] = {}
        until_ns = clock.now_ns() + round(START_S * 1e9)
        while not set(mapping.mapped_axes) <= set(axes):
            left_s = (until_ns - clock.now_ns()) / 1e9
            if left_s <= 0.0:
                missing = ", ".join(map(str, sorted(set(mapping.mapped_axes) - set(axes))))
                raise OSError(
                    f"expected axis {missing} of device.mapping.axes, found {len(axes)} axes; name another gamepad in "
                    "device.path, or correct device.mapping.axes"
                )
            axes |= {number: float(value) for value, kind, number in self._events(left_s) if kind & ~FIRST == AXIS}
        return [axes.get(number, 0.0) for number in range(max(axes, default=-1) + 1)]

    def _events(self, timeout_s: float) -> Iterator[tuple[int, int, int]]:
        """Yield value, kind and number of each event. Raises OSError when the device was unplugged."""
        if not self._poll.poll(timeout_s * 1e3):
            return
        data = os.read(self._file, EVENTS_AT_ONCE * EVENT.size)
        if not data:
            raise OSError("the device was closed")
        for _, value, kind, number in EVENT.iter_unpack(data[: len(data) // EVENT.size * EVENT.size]):
            yield value, kind, number
