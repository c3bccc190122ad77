"""A bad network between two sockets of this machine."""

import socket
import struct
import threading
from contextlib import suppress

CHUNK = 16_384
BUFFER = 65_536  # a small one: what waits in a kernel is out of everybody's hands
POLL_S = 0.02
RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: closing sends RST


class TcpProxy:
    """Passes bytes on between `address` and a port of the loopback, at most `bytes_per_s` each way.

    `blackhole` keeps connections open and passes nothing on: all, or only what goes "up" to the target or "down" from
    it; what waits goes on its way later. `cut` resets every connection and refuses new ones. `restore` ends both.
    """

    def __init__(self, target: str, bytes_per_s: float = float("inf")) -> None:
        self._target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self._bytes_per_s = bytes_per_s
        self._never = threading.Event()
        self._stuck: set[str] = set()
        self._is_cut = self._closing = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(POLL_S)
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def blackhole(self, *ways: str) -> None:
        self._stuck = set(ways or ("up", "down"))

    def cut(self) -> None:
        self._is_cut = True
        self._hang_up()

    def restore(self) -> None:
        self._is_cut, self._stuck = False, set()

    def close(self) -> None:
        self._closing = True
        self._hang_up()
        self._listener.close()
        for thread in self._threads:
            thread.join(5.0)

    def _start(self, run, *arguments) -> None:
        self._threads.append(threading.Thread(target=run, args=arguments, daemon=True))
        self._threads[-1].start()

    def _hang_up(self) -> None:
        for end in self._open:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def _accept(self) -> None:
        while not self._closing:
            with suppress(OSError):
                near, _ = self._listener.accept()
                if self._is_cut:
                    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                for end in (near, far):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
                    end.settimeout(POLL_S)
                self._open += [near, far]
                self._start(self._pump, near, far, "up")
                self._start(self._pump, far, near, "down")

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with suppress(OSError):
            while not self._closing:
                if way in self._stuck:
                    self._never.wait(POLL_S)
                    continue
                try:
                    data = source.recv(CHUNK)
                except TimeoutError:
                    continue
                if not data:
                    break
                self._never.wait(len(data) / self._bytes_per_s)
                self._send(sink, data)
        for end in (source, sink):
            end.close()

    def _send(self, sink: socket.socket, data: bytes) -> None:
        while data and not self._closing:
            with suppress(TimeoutError):
                data = data[sink.send(data) :]
