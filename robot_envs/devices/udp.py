"""A joystick whose axes and buttons arrive as UDP datagrams, from a program on this machine or a bridge.

A datagram holds the state of the whole device: `n_axes`, then `n_buttons` numbers, little-endian float32. A button is
down above 0.5. The sender also repeats its datagrams at rest. Datagrams are not authenticated, so an address other than
loopback belongs on a dedicated network of the robot.
"""

from __future__ import annotations

import math
import socket
import struct
from dataclasses import dataclass
from functools import partial

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceSettings, check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.ranges import expect_at_least, expect_within

__all__ = ["UdpConfig", "UdpJoystick", "UdpLink"]

LARGEST = 65_536  # bytes of a datagram
DOWN = 0.5  # value above which a button is down
ABSENT = "expected datagrams, found none that the mapping can read; start the sender, or correct device.mapping"


@dataclass(frozen=True)
class UdpConfig(DeviceSettings):
    """Address of the joystick, its layout, and the meaning of its axes.

    Attributes:
        host: Address to listen at.
        port: UDP port to listen at.
        n_axes: Number of axes in a datagram.
        n_buttons: Number of buttons after them.
        silence_s: Time without datagrams after which the sender counts as lost.
        retry_s: Time between two attempts to receive from a lost sender.
        neutral_s: Time at rest after which the joystick counts as released.
        mapping: Meaning of axes and buttons.
    """

    host: str
    port: int
    n_axes: int
    n_buttons: int
    silence_s: float
    retry_s: float
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "silence_s", "retry_s", "neutral_s")
        expect_within(self, 1, 65_535, "port")
        expect_at_least(self, 1, "n_axes")
        expect_at_least(self, 0, "n_buttons")
        if max(self.mapping.axes) >= self.n_axes:
            raise ValueError(f"mapping.axes: expected numbers below n_axes = {self.n_axes}, found {self.mapping.axes}")


class UdpJoystick(AxesDevice):
    """A joystick over UDP for one arm.

    Args:
        config: Address and mapping.
        clock: Monotonic clock.
    """

    settings_type = UdpConfig
    name = "udp"
    address = ("host", "port")
    remedy = "start the program that sends the joystick's datagrams to device.host and device.port"

    def __init__(self, config: UdpConfig, clock: Clock | None = None) -> None:
        clock = clock or MonotonicClock()
        handle = Handle(config.mapping, clock)
        reader = Reader(self.name, partial(UdpLink, config, handle, clock), handle.lose, config.retry_s)
        super().__init__(self.name, ABSENT, reader, handle, config.mapping, clock, config.neutral_s)


class UdpLink:
    """The open socket, while the sender transmits. A button that is down in the first datagram is not a press.

    Args:
        config: Address and layout.
        handle: Receives axes and buttons.
        clock: Monotonic clock.

    Raises:
        OSError: The address is in use, or the sender is silent.
    """

    def __init__(self, config: UdpConfig, handle: Handle, clock: Clock) -> None:
        self._config, self._handle, self._clock = config, handle, clock
        self._layout = struct.Struct(f"<{config.n_axes + config.n_buttons}f")
        self._down: frozenset[int] | None = None  # before the first datagram
        self._heard_ns = clock.now_ns()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((config.host, config.port))
            while self._down is None:
                self.serve(config.silence_s)
        except BaseException:
            self._socket.close()
            raise

    def serve(self, timeout_s: float) -> None:
        """Process the next datagram. Raises OSError when the sender is silent."""
        self._socket.settimeout(timeout_s)
        try:
            self._take(self._socket.recv(LARGEST))
        except TimeoutError:
            silence_s = self._config.silence_s
            if self._clock.now_ns() - self._heard_ns >= silence_s * 1e9:
                where = f"{self._config.host}:{self._config.port}"
                raise TimeoutError(
                    f"expected datagrams at {where} at rest too, found none for {silence_s} s; start the sender"
                ) from None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _take(self, data: bytes) -> None:
        self._heard_ns = self._clock.now_ns()
        if len(data) != self._layout.size:
            self._handle.lose(f"expected datagrams of {self._layout.size} bytes, found {len(data)}")
            self._down = frozenset()
            return
        numbers = self._layout.unpack(data)
        axes, buttons = numbers[: self._config.n_axes], numbers[self._config.n_axes :]
        down = frozenset(number for number, value in enumerate(buttons) if math.isfinite(value) and value > DOWN)
        # The first datagram, also after a loss, gives the initial state and no presses.
        before = self._down if self._down is not None and self._handle.state.present else down
        self._down = down
        if not self._handle.move(axes):
            return
        for number in sorted(before - down):
            self._handle.press(number, False)
        for number in sorted(down - before):
            self._handle.press(number, True)
