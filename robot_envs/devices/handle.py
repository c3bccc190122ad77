"""What is known of a device with axes and buttons."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from robot_envs.devices.chords import Chords
from runtime.clock import Clock

__all__ = ["Handle", "HandleState"]

KEPT_EVENTS = 64


class HandleState(NamedTuple):
    """A device at one moment: what its reader has heard last."""

    axes: tuple[float, ...]  # raw
    held: frozenset[str]  # what the buttons that are down stand for
    present: bool  # whether the device is there
    losses: int  # how often it was not
    stamp_ns: int  # receive time of the newest axes


class Handle:
    """Written by the thread that reads the device, read by the control loop; neither waits for the other.

    Args:
        buttons: The buttons that have to be down together, by what they do.
        clock: Gives receive times.
    """

    def __init__(self, buttons: Mapping[str, tuple[int, ...]], clock: Clock) -> None:
        self._clock = clock
        self._chords = Chords(buttons)
        self._events: deque[str] = deque(maxlen=KEPT_EVENTS)
        # One reference that is replaced as a whole: whoever reads it sees one moment, without a lock.
        self.state = HandleState((), frozenset(), present=False, losses=0, stamp_ns=clock.now_ns())

    def found(self) -> None:
        """The device is there, and at rest as far as is known."""
        self.state = self.state._replace(present=True)

    def lose(self) -> None:
        """The device is gone: what it last said holds no longer."""
        if self.state.present:
            self._chords.clear()
            self.state = HandleState((), frozenset(), False, self.state.losses + 1, self._clock.now_ns())

    def move(self, axes: Sequence[float]) -> None:
        """All axes, as just received."""
        self.state = self.state._replace(axes=tuple(axes), present=True, stamp_ns=self._clock.now_ns())

    def move_one(self, axis: int, value: float) -> None:
        """One axis, as just received."""
        axes = list(self.state.axes) + [0.0] * (axis + 1 - len(self.state.axes))
        axes[axis] = value
        self.move(axes)

    def press(self, button: int, pressed: bool) -> None:
        """One button, as just received."""
        if pressed:
            self._events.extend(self._chords.press(button))
        else:
            self._chords.release(button)
        self.state = self.state._replace(held=self._chords.held, present=True)

    def take_events(self) -> tuple[str, ...]:
        """What has been pressed since the last call, oldest first."""
        return tuple(self._events.popleft() for _ in range(len(self._events)))
