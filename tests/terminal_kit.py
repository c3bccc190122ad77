"""A pseudo-terminal with a typing person."""

import os
import pty
import termios


class Terminal:
    """The two ends of a pseudo-terminal; `path` is the end that a program opens."""

    def __init__(self):
        self._master, self._slave = pty.openpty()
        self.path = os.ttyname(self._slave)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def shows_keys(self) -> bool:
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def close(self) -> None:
        os.close(self._slave)
        os.close(self._master)
