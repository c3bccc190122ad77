"""A SpaceMouse, read through the daemon spacenavd."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import DeviceSettings, check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.robot_envs.devices.spacenav import SpacenavLink
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["SpaceMouse", "SpaceMouseConfig"]

AXES = 6  # of every report of spacenavd
ABSENT = "expected spacenavd to have a device, found none; plug the SpaceMouse in, see docs/devices.md"


@dataclass(frozen=True)
class SpaceMouseConfig(DeviceSettings):
    """Address of spacenavd, and the meaning of the cap's axes.

    Attributes:
        socket: Path of spacenavd's socket.
        pulse_s: Time between two heartbeat requests to the daemon.
        answer_s: Longest time of the daemon to answer a request.
        retry_s: Time between two attempts to reach a lost daemon.
        neutral_s: Time at rest after which the cap counts as released.
        mapping: Meaning of axes and buttons.
    """

    socket: str
    pulse_s: float
    answer_s: float
    retry_s: float
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "pulse_s", "answer_s", "retry_s", "neutral_s")
        if max(self.mapping.axes) >= AXES:
            raise ValueError(f"mapping.axes: expected numbers below {AXES}, found {max(self.mapping.axes)}")


class SpaceMouse(AxesDevice):
    """A SpaceMouse for one arm.

    It refuses to connect while the daemon is not running or has no device. Once connected, it waits until a lost daemon
    or device returns.

    Args:
        config: Address and mapping.
        clock: Monotonic clock.
    """

    settings_type = SpaceMouseConfig
    name = "spacemouse"
    address = ("socket",)
    remedy = "sudo apt-get install spacenavd && sudo systemctl enable --now spacenavd, and plug the SpaceMouse in"

    def __init__(self, config: SpaceMouseConfig, clock: Clock | None = None) -> None:
        clock = clock or MonotonicClock()
        handle = Handle(config.mapping, clock)
        open_link = partial(SpacenavLink, config.socket, handle, config.pulse_s, config.answer_s, clock)
        reader = Reader(self.name, open_link, handle.lose, config.retry_s)
        super().__init__(self.name, ABSENT, reader, handle, config.mapping, clock, config.neutral_s)
