"""An input device with axes and buttons, over any link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from steadyhand.robot_envs.devices.device import Device, DeviceError, HumanInput, no_reading
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import CLOSE, OPEN, MappingConfig, gripper_wish
from steadyhand.runtime.clock import Clock

__all__ = ["AxesDevice", "Source"]


class Source(Protocol):
    """The part that keeps a handle up to date, such as a `Reader`."""

    @property
    def running(self) -> bool:
        """True while `start` has been called and `stop` has not."""

    def start(self) -> None:
        """Open the device. Raises DeviceError when the device is missing."""

    def stop(self) -> None:
        """Close the device."""


class AxesDevice(Device):
    """Readings of a ``Handle`` for one arm.

    Args:
        name: Name of the device, for messages.
        absent: Error message for a link that opens although no device is present.
        source: Keeps ``handle`` up to date.
        handle: Newest state of the device.
        mapping: Meaning of axes and buttons.
        clock: The clock that stamps the readings in ``handle``.
        neutral_s: Time at rest after which the device counts as neutral.
    """

    def __init__(
        self,
        name: str,
        absent: str,
        source: Source,
        handle: Handle,
        mapping: MappingConfig,
        clock: Clock,
        neutral_s: float,
    ) -> None:
        self._name, self._absent = name, absent
        self._source, self._handle, self._mapping, self._clock = source, handle, mapping, clock
        self._neutral_ns = round(neutral_s * 1e9)
        self._losses = 0

    def listen(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with every button that is pressed, on the reader's thread."""
        self._handle.heard = heard

    @property
    def raw_axes(self) -> tuple[float, ...]:
        """Newest raw axes, before the mapping; () while nothing was reported, and while the device is lost."""
        return self._handle.state.axes

    def connect(self) -> None:
        """Open the device. Raises DeviceError when there is none."""
        self._source.start()
        if not self._handle.state.present:
            self.close()
            raise DeviceError(f"{self._name}: {self._absent}")
        self._losses = self._handle.state.losses

    def poll(self) -> HumanInput:
        """Return the newest reading. Raises DeviceError before ``connect``."""
        if not self._source.running:
            raise DeviceError(f"{self._name}: expected a connected device, found none; call connect first")
        state, events, now_ns = self._handle.state, self._handle.take_events(), self._clock.now_ns()
        lost, self._losses = state.losses != self._losses, state.losses
        if lost or not state.present:
            return no_reading(events)
        twist = self._mapping.twist(state.axes)
        gripper = gripper_wish(state.held) or _short_press(events)
        moving = bool(twist.any())
        return HumanInput(
            engaged=np.array([moving or gripper != 0.0]),
            twist=twist[None],
            gripper=np.array([gripper]),
            events=events,
            age_s=max(now_ns - state.stamp_ns, 0) / 1e9 if moving else 0.0,
            neutral=state.rest_ns is not None and now_ns - state.rest_ns >= self._neutral_ns,
        )

    def close(self) -> None:
        """Close the device."""
        self._source.stop()


def _short_press(events: tuple[str, ...]) -> float:
    """Return the gripper entry of a button pressed and released between two readings; 0 if it began a chord."""
    return gripper_wish(frozenset(events)) if set(events) <= {OPEN, CLOSE} else 0.0
