"""Newest state of a device with axes and buttons, shared between its reader and the control loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from steadyhand.robot_envs.devices.chords import Chords
from steadyhand.robot_envs.devices.mapping import MappingConfig, gripper_wish
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

__all__ = ["Handle", "HandleState"]

KEPT_EVENTS = 64

logger = get_logger("device")


class HandleState(NamedTuple):
    """Newest state of a device, as its reader received it."""

    axes: tuple[float, ...]  # raw; () = nothing reported yet, counts as at rest
    held: frozenset[str]  # meanings of the buttons that are down
    present: bool  # the device is connected and reports all its mapped axes
    losses: int  # number of losses so far
    stamp_ns: int  # receive time of the newest axes
    rest_ns: int | None  # start of the rest; None while something is pushed, and while the device is lost


class Handle:
    """State written by the device's thread and read by the control loop; neither waits for the other.

    Args:
        mapping: The axes that the device must report, and the buttons that have to be down together.
        clock: Gives receive times.
    """

    def __init__(self, mapping: MappingConfig, clock: Clock) -> None:
        self._mapping, self._clock = mapping, clock
        self._chords = Chords(mapping.buttons)
        self._events: deque[str] = deque(maxlen=KEPT_EVENTS)
        self.heard: Callable[[str], None] = lambda name: None  # called at once with every press
        # One reference, replaced as a whole: a reader sees a consistent state without a lock.
        self.state = HandleState((), frozenset(), False, 0, clock.now_ns(), None)

    def found(self) -> None:
        """Mark the device as present and at rest."""
        self._set(present=True)

    def lose(self, reason: str = "") -> None:
        """Mark the device as lost and discard its last state. The first reason of a loss is logged."""
        if not self.state.present:
            return
        if reason:
            logger.warning("the input device is lost: %s", reason)
        self._chords.clear()
        self.state = HandleState((), frozenset(), False, self.state.losses + 1, self._clock.now_ns(), None)

    def move(self, axes: Sequence[float]) -> bool:
        """Store all axes, as just received; return whether they form a valid reading.

        A device that does not report all its mapped axes is lost until it does.
        """
        if objection := self._mapping.objection(axes):
            self.lose(objection)
            return False
        self._set(axes=tuple(axes), present=True, stamp_ns=self._clock.now_ns())
        return True

    def move_one(self, axis: int, value: float) -> None:
        """Store one axis, as just received, of a device that has reported all of them before."""
        axes = list(self.state.axes) + [0.0] * (axis + 1 - len(self.state.axes))
        axes[axis] = value
        self.move(axes)

    def press(self, button: int, pressed: bool) -> None:
        """Store one button, as just received. The buttons of a lost device are ignored."""
        if not self.state.present:
            return
        if pressed:
            begun = self._chords.press(button)
            self._events.extend(begun)
            for name in begun:
                self.heard(name)
        else:
            self._chords.release(button)
        self._set(held=self._chords.held)

    def take_events(self) -> tuple[str, ...]:
        """Return the presses since the last call, oldest first."""
        return tuple(self._events.popleft() for _ in range(len(self._events)))

    def _set(self, **changes: Any) -> None:
        state = self.state._replace(**changes)
        is_pushed = bool(gripper_wish(state.held) or self._mapping.twist(state.axes).any())
        since_ns = self._clock.now_ns() if self.state.rest_ns is None else self.state.rest_ns
        self.state = state._replace(rest_ns=None if is_pushed else since_ns)
