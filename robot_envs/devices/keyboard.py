"""The keys of a terminal as an input device.

A terminal reports that a key goes down, and repeats it. It never reports that a key goes up. So a key moves the robot
for a short time, and silence counts as a release. The person stays in control a little longer, because a held key is
also silent between its first press and its first repetition.
"""

from __future__ import annotations

import atexit
import os
import re
import select
import termios
import tty
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steadyhand.robot_envs.devices.device import (
    Device,
    DeviceError,
    DeviceSettings,
    HumanInput,
    check_times,
    no_reading,
)
from steadyhand.robot_envs.devices.mapping import REQUESTS, check_button_names, gripper_wish
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["Keyboard", "KeyboardConfig", "TerminalLink"]

NAMES = {"\r": "enter", "\n": "enter", " ": "space"}
ESCAPE = re.compile(r"\x1b(\[[0-9;]*[A-Za-z~]|O[A-Za-z])?")  # arrow and function keys are several characters
KEPT_KEYS = 256
CHUNK = 256


@dataclass(frozen=True)
class KeyboardConfig(DeviceSettings):
    """The terminal and the meaning of its keys.

    Attributes:
        terminal: Device file of the terminal.
        retry_s: Time between two attempts to open it again.
        hold_s: Time for which a key moves the robot after its last report.
        engaged_s: Time after a key's last report for which the person stays in control.
        neutral_s: Time without a person in control after which the keys count as released.
        keys: Twist of each key, in [-1, 1]: x, y, z, then rotation about x, y, z, in the tool frame.
        buttons: Key of each function: close, open, resume, stop, park, success, failure, again.
    """

    terminal: str
    retry_s: float
    hold_s: float
    engaged_s: float
    neutral_s: float
    keys: dict[str, tuple[float, ...]]
    buttons: dict[str, str]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_times(self, "retry_s", "hold_s", "neutral_s")
        if self.engaged_s < self.hold_s:
            raise ValueError(f"engaged_s: expected at least hold_s = {self.hold_s}, found {self.engaged_s}")
        for key, twist in self.keys.items():
            if len(twist) != 6 or max(map(abs, twist)) > 1.0:
                raise ValueError(f"keys.{key}: expected 6 numbers in [-1, 1], found {list(twist)}")
        check_button_names(self.buttons)
        both = set(self.keys) & set(self.buttons.values())
        if both:
            raise ValueError(f"keys: expected one meaning for each key, found two for {', '.join(sorted(both))}")


class Keyboard(Device):
    """A terminal's keys as a device for one arm.

    Args:
        config: The terminal and the meaning of its keys.
        clock: Monotonic clock.
    """

    settings_type = KeyboardConfig
    name = "keyboard"
    address = ("terminal",)
    remedy = "run the command in a terminal, not through a pipe or a service"

    def __init__(self, config: KeyboardConfig, clock: Clock | None = None) -> None:
        self._config, self._clock = config, clock or MonotonicClock()
        self._typed: deque[tuple[int, str]] = deque(maxlen=KEPT_KEYS)
        self._heard_ns: dict[str, int] = {}
        self._losses = self._seen_losses = 0
        self._present = False
        self._opened_ns = self._clock.now_ns()
        self._meanings = {key: name for name, key in config.buttons.items()}
        self._requests = {key for key, name in self._meanings.items() if name in REQUESTS}
        self._heard: Callable[[str], None] = lambda name: None
        self._reader = Reader("keyboard", self._open, self._lose, config.retry_s)

    def listen(self, heard: Callable[[str], None]) -> None:
        """Register `heard`, which is called with every typed button, on the reader's thread."""
        self._heard = heard

    def connect(self) -> None:
        """Open the terminal. Raises DeviceError when there is none."""
        self._reader.start()
        self._seen_losses = self._losses

    def poll(self) -> HumanInput:
        """Return the reading that results from the newest keys. Raises DeviceError before ``connect``."""
        if not self._reader.running:
            raise DeviceError("keyboard: expected a connected device, found none; call connect first")
        now_ns, events = self._clock.now_ns(), self._take_typed()
        lost, self._seen_losses = self._losses != self._seen_losses, self._losses
        if lost or not self._present:
            self._heard_ns.clear()
            return no_reading(events)
        held = self._since(now_ns, self._config.hold_s)
        buttons = frozenset(name for name, key in self._config.buttons.items() if key in held)
        in_control = self._since(now_ns, self._config.engaged_s) - self._requests
        neutral_s = self._config.engaged_s + self._config.neutral_s
        is_new = now_ns - self._opened_ns < self._config.neutral_s * 1e9
        return HumanInput(
            engaged=np.array([bool(in_control)]),
            twist=self._twist(held)[None],
            gripper=np.array([gripper_wish(buttons)]),
            events=events,
            age_s=0.0,
            neutral=not is_new and not self._since(now_ns, neutral_s) - self._requests,
        )

    def close(self) -> None:
        """Restore the terminal's settings and close it."""
        self._reader.stop()

    def _open(self) -> TerminalLink:
        link = TerminalLink(self._config.terminal, self._hear)
        self._opened_ns = self._clock.now_ns()
        self._present = True
        return link

    def _hear(self, key: str) -> None:
        self._typed.append((self._clock.now_ns(), key))
        if key in self._meanings:
            self._heard(self._meanings[key])

    def _lose(self) -> None:
        self._present = False
        self._losses += 1

    def _take_typed(self) -> tuple[str, ...]:
        meanings, events = self._meanings, []
        while self._typed:
            stamp_ns, key = self._typed.popleft()
            if key in meanings:
                events.append(meanings[key])
            if key in meanings or key in self._config.keys:
                self._heard_ns[key] = stamp_ns
        return tuple(events)

    def _since(self, now_ns: int, duration_s: float) -> set[str]:
        return {key for key, heard_ns in self._heard_ns.items() if now_ns - heard_ns <= duration_s * 1e9}

    def _twist(self, held: set[str]) -> NDArray[np.float64]:
        twist = np.zeros(6)
        for key in held & set(self._config.keys):
            twist += self._config.keys[key]
        return np.clip(twist, -1.0, 1.0)


class TerminalLink:
    """An open terminal that delivers every key at once and echoes none. Ctrl-C still ends the program.

    Keys typed before the terminal was opened are discarded.

    Args:
        path: Path of the terminal.
        typed: Called with every key: a character, "enter" or "space".

    Raises:
        OSError: There is no terminal, or it belongs to another job of the shell.
    """

    def __init__(self, path: str, typed: Callable[[str], None]) -> None:
        self._typed = typed
        self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self._saved = termios.tcgetattr(self._file)
            _check_foreground(self._file, path)
            tty.setcbreak(self._file, termios.TCSANOW)
            termios.tcflush(self._file, termios.TCIFLUSH)
        except termios.error as error:
            os.close(self._file)
            raise OSError(f"{path}: expected a terminal, found something else ({error.args[-1]})") from error
        except OSError:
            os.close(self._file)
            raise
        # A program that exits with an error must not leave the terminal without echo.
        atexit.register(self._restore)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def serve(self, timeout_s: float) -> None:
        """Process the typed keys. Raises OSError when the terminal was closed."""
        if not self._poll.poll(timeout_s * 1e3):
            return
        try:
            data = os.read(self._file, CHUNK)
        except BlockingIOError:
            return  # poll may report a terminal as readable too early
        if not data:
            raise OSError("the terminal was closed")
        for character in ESCAPE.sub("", data.decode("utf-8", errors="ignore")):
            self._typed(NAMES.get(character, character))

    def close(self) -> None:
        """Restore the terminal's settings and close it."""
        self._restore()
        atexit.unregister(self._restore)
        os.close(self._file)

    def _restore(self) -> None:
        with suppress(termios.error):  # a closed terminal needs no restoring
            termios.tcsetattr(self._file, termios.TCSANOW, self._saved)


def _check_foreground(file: int, path: str) -> None:
    """Refuse a controlling terminal that another job reads: the shell would stop this process."""
    try:
        foreground = os.tcgetpgrp(file)
    except OSError:
        return  # it is not the controlling terminal of this process
    if foreground != os.getpgrp():
        raise OSError(f"{path}: expected to be the terminal's foreground job, found another one; start it without `&`")
