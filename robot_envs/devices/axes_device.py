"""A device with axes and buttons, whatever it is plugged into."""

from __future__ import annotations

import numpy as np

from robot_envs.devices.device import DeviceError, HumanInput, no_reading
from robot_envs.devices.handle import Handle
from robot_envs.devices.mapping import MappingConfig, gripper_wish
from robot_envs.devices.reader import Reader
from runtime.clock import Clock

__all__ = ["AxesDevice"]


class AxesDevice:
    """Readings of a ``Handle`` for one arm.

    Args:
        name: Of the device, for messages.
        absent: What to say when it can be asked for and is not there.
        reader: Keeps ``handle`` up to date.
        handle: What is known.
        mapping: What it means.
        clock: The one that stamps what comes into ``handle``.
    """

    def __init__(
        self, name: str, absent: str, reader: Reader, handle: Handle, mapping: MappingConfig, clock: Clock
    ) -> None:
        self._name, self._absent = name, absent
        self._reader, self._handle, self._mapping, self._clock = reader, handle, mapping, clock
        self._losses = 0

    def connect(self) -> None:
        """Open the device. Raises DeviceError when there is none."""
        self._reader.start()
        if not self._handle.state.present:
            self.close()
            raise DeviceError(f"{self._name}: {self._absent}")
        self._losses = self._handle.state.losses

    def poll(self) -> HumanInput:
        """The newest reading. Raises DeviceError before ``connect``."""
        if not self._reader.running:
            raise DeviceError(f"{self._name}: expected a connected device, found none; call connect first")
        state, events = self._handle.state, self._handle.take_events()
        lost, self._losses = state.losses != self._losses, state.losses
        if lost or not state.present:
            return no_reading(events)
        twist = self._mapping.twist(state.axes)
        gripper = gripper_wish(state.held)
        moving = bool(twist.any())
        return HumanInput(
            engaged=np.array([moving or gripper != 0.0]),
            twist=twist[None],
            gripper=np.array([gripper]),
            events=events,
            age_s=max(self._clock.now_ns() - state.stamp_ns, 0) / 1e9 if moving else 0.0,
        )

    def close(self) -> None:
        """Let go of the device."""
        self._reader.stop()
