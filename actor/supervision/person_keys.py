"""Keys of the terminal for a person whose device is not the keyboard itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.devices.keyboard import TerminalLink
from steadyhand.robot_envs.devices.mapping import check_request_names
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.logging import get_logger
from steadyhand.runtime.ranges import expect_above

__all__ = ["PersonKeys", "PersonKeysConfig"]

logger = get_logger("actor.keys")


@dataclass(frozen=True)
class PersonKeysConfig:
    """The keys by their requests.

    Attributes:
        terminal: Device file of the terminal.
        retry_s: Time between two attempts to open it again.
        keys: Key by request: resume, stop, park, success, failure, again.
    """

    terminal: str
    retry_s: float
    keys: dict[str, str]

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "retry_s")
        check_request_names(self.keys)
        if len(set(self.keys.values())) < len(self.keys):
            raise ValueError(f"keys: expected one meaning for each key, found {self.keys}")


class PersonKeys:
    """Reads the terminal on a thread of its own.

    Args:
        config: The keys.
        pressed: Gets the request of every key that has one, on that thread.
    """

    def __init__(self, config: PersonKeysConfig, pressed: Callable[[str], None]) -> None:
        self._requests = {key: request for request, key in config.keys.items()}
        self._terminal, self._pressed = config.terminal, pressed
        self._reader = Reader("terminal keys", self._open, lambda: None, config.retry_s)

    def start(self) -> bool:
        """Begin to read; return False when this process has no terminal."""
        try:
            self._reader.start()
        except DeviceError as error:
            logger.info("%s; requests come from the device's buttons alone", error)
            return False
        return True

    def close(self) -> None:
        """Restore the terminal."""
        self._reader.stop()

    def _open(self) -> TerminalLink:
        return TerminalLink(self._terminal, self._hear)

    def _hear(self, key: str) -> None:
        request = self._requests.get(key)
        if request is not None:
            self._pressed(request)
