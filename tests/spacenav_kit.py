"""The real spacenavd, and a serial SpaceMouse on a pseudo-terminal for it to drive."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import tty
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Lock, Thread

import pytest

from tests.transport_kit import wait_until

SPACENAVD = shutil.which("spacenavd")
needs_spacenavd = pytest.mark.skipif(SPACENAVD is None, reason="needs spacenavd: sudo apt-get install spacenavd")

AT_REST = (0,) * 6
NAME = b"vMAGELLAN  Version 5.79\r"
REPORT_S = 0.02  # a real cap that is pushed reports 50 times a second and more


class Cap:
    """A serial SpaceMouse of the Magellan kind: it answers who it is, and reports axes and buttons as text.

    Raw axes, as the daemon hands them on: 0 right, 1 up, 2 forward.
    """

    def __init__(self) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._lock = Lock()
        self._axes: Sequence[int] = AT_REST
        self._jitter = 0
        self._unplugged = Event()
        self._threads = [Thread(target=run, daemon=True) for run in (self._answer, self._report)]
        for thread in self._threads:
            thread.start()

    def push(self, axes: Sequence[int]) -> None:
        """Push the cap and keep pushing, as steadily as a hand does."""
        self._axes = axes
        self._send_axes(axes)

    def let_go(self) -> None:
        """The cap springs back and is silent from then on."""
        with self._lock:
            self._axes = AT_REST
        self._send_axes(AT_REST)

    def buttons(self, *down: int) -> None:
        """Press exactly these buttons."""
        mask = sum(1 << button for button in down)
        self._write(b"k" + bytes(ord("0") | mask >> shift & 0xF for shift in (0, 4, 8)) + b"\r")

    def unplug(self) -> None:
        """Pull the plug. The daemon does not notice that a serial line is dead."""
        if not self._unplugged.is_set():
            self._unplugged.set()
            for thread in self._threads:
                thread.join(5)
            os.close(self._master)
            os.close(self._slave)

    def _send_axes(self, axes: Sequence[int]) -> None:
        # The daemon turns two axes of this model round.
        signs = (1, 1, -1, 1, 1, -1)
        words = [0x8000 + sign * value for sign, value in zip(signs, axes, strict=True)]
        nibbles = [word >> shift & 0xF for word in words for shift in (12, 8, 4, 0)]
        self._write(b"d" + bytes(ord("0") | nibble for nibble in nibbles) + b"\r")

    def _write(self, data: bytes) -> None:
        with self._lock:
            if not self._unplugged.is_set():
                os.write(self._master, data)

    def _report(self) -> None:
        while not self._unplugged.wait(REPORT_S):
            with self._lock:
                pushed, self._jitter = any(self._axes), 1 - self._jitter
                axes = [value + self._jitter if value else 0 for value in self._axes]
            if pushed:
                self._send_axes(axes)

    def _answer(self) -> None:
        heard = b""
        while not self._unplugged.is_set():
            if not select.select([self._master], [], [], REPORT_S)[0]:
                continue
            heard += os.read(self._master, 256)
            if b"@RESET\r" in heard:  # meant for another make; any answer saves the daemon's patience of 2 s
                self._write(b"?\r")
                heard = b""
            elif b"vQ\r" in heard:
                self._write(NAME)
                heard = b""


class Daemon:
    """A spacenavd of its own: its /run is a folder of the test, so neither the machine's nor another test's is met."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket = folder / "run" / "spnav.sock"
        self._config, self._log = folder / "spnavrc", folder / "spnavd.log"
        self.socket.parent.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, cap: Cap | None) -> None:
        """Start it with a cap, or without any device."""
        self.configure(cap)
        self.socket.unlink(missing_ok=True)
        flags = "-m" if os.geteuid() == 0 else "-rm"
        script = 'mount --bind "$1" /run && cd / && exec "$2" -d -v -c "$3" -l "$4"'
        words = ["unshare", flags, "sh", "-c", script, "sh", self.socket.parent, SPACENAVD, self._config, self._log]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Devices come before the socket: once that is there, so is the cap.
        wait_until(lambda: self.socket.exists() or self._process.poll() is not None)
        assert self.socket.exists(), self._log.read_text() if self._log.exists() else "unshare or mount refused"

    def configure(self, cap: Cap | None) -> None:
        """Write its configuration: which serial device it has, or none."""
        self._config.write_text(f"dead-zone = 0\n{f'serial = {cap.path}' if cap else ''}\n")

    def signal(self, number: signal.Signals) -> None:
        """SIGHUP reads the configuration again, SIGSTOP hangs it, SIGCONT lets it go on."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a crash does: its socket stays behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
