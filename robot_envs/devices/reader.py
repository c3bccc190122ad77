"""The thread that reads a device, and opens it again after a loss."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.runtime.logging import get_logger

__all__ = ["Link", "Reader"]

WAIT_S = 0.02  # longest wait of a link for its device; closing takes as long
JOIN_S = 2.0

logger = get_logger("device")


class Link(Protocol):
    """One open connection to a device. After a loss a new link is opened."""

    def serve(self, timeout_s: float) -> None:
        """Process the device's data, waiting at most ``timeout_s`` for it. Raises OSError when the device is lost."""

    def close(self) -> None:
        """Close the connection."""


class Reader:
    """The thread between a device and the control loop.

    Args:
        name: Name of the device, for messages.
        open_link: Opens the device. Raises OSError or DeviceError when the device is missing.
        on_loss: Called after every loss of the device, before the first attempt to open it again.
        retry_s: Time between two attempts to open the device again.
    """

    def __init__(self, name: str, open_link: Callable[[], Link], on_loss: Callable[[], None], retry_s: float) -> None:
        self._name, self._open, self._on_loss, self._retry_s = name, open_link, on_loss, retry_s
        self._ending = Event()
        self._thread: Thread | None = None

    @property
    def running(self) -> bool:
        """True while ``start`` has been called and ``stop`` has not."""
        return self._thread is not None

    def start(self) -> None:
        """Open the device and start the thread. Raises DeviceError when the device is missing."""
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
            # In every case, the last reading must no longer count as new.
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
