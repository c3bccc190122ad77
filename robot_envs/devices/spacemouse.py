"""A SpaceMouse, through the daemon spacenavd."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.robot_envs.devices.spacenav import SpacenavLink
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["SpaceMouseConfig", "make_spacemouse"]

AXES = 6  # of every report of spacenavd
ABSENT = "expected spacenavd to have a device, found none; plug the SpaceMouse in, see docs/devices.md"


@dataclass(frozen=True)
class SpaceMouseConfig:
    """Where spacenavd is, and what the cap means.

    Attributes:
        kind: spacemouse.
        pace: The pace of a simulated robot that this device drives.
        max_age_s: A pushed cap that has said nothing for so long has fallen silent.
        socket: Of spacenavd.
        pulse_s: Time between two signs of life that the daemon is asked for.
        answer_s: Time that it may take to give one.
        retry_s: Time between two attempts to reach a daemon that was lost.
        neutral_s: Time at rest after which the cap counts as let go.
        mapping: What axes and buttons mean.
    """

    kind: Literal["spacemouse"]
    pace: Literal["realtime", "lockstep"]
    max_age_s: float
    socket: str
    pulse_s: float
    answer_s: float
    retry_s: float
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        check_times(self, "max_age_s", "pulse_s", "answer_s", "retry_s", "neutral_s")
        if max(self.mapping.axes) >= AXES:
            raise ValueError(f"mapping.axes: expected numbers below {AXES}, found {max(self.mapping.axes)}")


def make_spacemouse(config: SpaceMouseConfig, clock: Clock | None = None) -> AxesDevice:
    """Return the device, not yet connected.

    It refuses to connect while the daemon does not run or has no device. Once connected it waits for either to return.
    """
    clock = clock or MonotonicClock()
    handle = Handle(config.mapping, clock)
    open_link = partial(SpacenavLink, config.socket, handle, config.pulse_s, config.answer_s, clock)
    reader = Reader("spacemouse", open_link, handle.lose, config.retry_s)
    return AxesDevice("spacemouse", ABSENT, reader, handle, config.mapping, clock, config.neutral_s)
