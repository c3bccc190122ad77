"""A counter of the bytes between two sockets of this machine."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

__all__ = ["ByteCounter"]

CHUNK = 1 << 18


class ByteCounter:
    """Proxy on a loopback port that forwards bytes to a target port and back, and counts them.

    Args:
        target: Address of the target, `tcp://127.0.0.1:<port>`.
    """

    def __init__(self, target: str) -> None:
        self.up = self.down = 0  # bytes to the target, and from it
        self._target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True, name="byte counter").start()

    def close(self) -> None:
        """Close the connections."""
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for source, sink, up in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass_on, args=(source, sink, up), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                sink.sendall(chunk)
                if up:
                    self.up += len(chunk)
                else:
                    self.down += len(chunk)
