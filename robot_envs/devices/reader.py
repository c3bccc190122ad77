"""Reads a device on a thread of its own, and opens it again when it was lost."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.runtime.logging import get_logger

__all__ = ["Link", "Reader"]

WAIT_S = 0.02  # how long a link may wait for its device: closing takes as long
JOIN_S = 2.0

logger = get_logger("device")


class Link(Protocol):
    """One open connection to a device. A device that was lost gets a new one."""

    def serve(self, timeout_s: float) -> None:
        """Take in what the device says, waiting at most ``timeout_s`` for it. Raises OSError when it is gone."""

    def close(self) -> None:
        """Let go."""


class Reader:
    """The thread between a device and the control loop.

    Args:
        name: Of the device, for messages.
        open_link: Opens the device. Raises OSError or DeviceError when it is not there.
        on_loss: Called whenever the device was lost, before it is looked for again.
        retry_s: Time between two attempts to open it again.
    """

    def __init__(self, name: str, open_link: Callable[[], Link], on_loss: Callable[[], None], retry_s: float) -> None:
        self._name, self._open, self._on_loss, self._retry_s = name, open_link, on_loss, retry_s
        self._ending = Event()
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        """Whether ``start`` has been called and ``stop`` has not."""
        return self._thread is not None

    def start(self) -> None:
        """Open the device and begin to read. Raises DeviceError when it is not there."""
        if self._thread is not None:
            return
        try:
            link = self._open()
        except OSError as error:
            raise DeviceError(f"{self._name}: {error}") from error
        self._ending.clear()
        self._thread = Thread(target=self._run, args=(link,), name=f"{self._name} reader", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the device."""
        if self._thread is not None:
            self._ending.set()
            self._thread.join(JOIN_S)
            self._thread = None

    def _run(self, link: Link | None) -> None:
        try:
            while not self._ending.is_set():
                link = self._reopen() if link is None else self._serve(link)
        finally:
            # However this ends, nobody may take the last reading for a new one.
            self._on_loss()
            if link is not None:
                link.close()

    def _serve(self, link: Link) -> Link | None:
        try:
            link.serve(WAIT_S)
            return link
        except OSError as error:
            self._on_loss()
            link.close()
            logger.warning("%s: lost (%s); looking for it again", self._name, error)
            return None

    def _reopen(self) -> Link | None:
        try:
            link = self._open()
        except (OSError, DeviceError):
            self._ending.wait(self._retry_s)
            return None
        logger.info("%s: back", self._name)
        return link
