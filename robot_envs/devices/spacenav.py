"""The protocol of spacenavd, the free driver of SpaceMice, over its socket.

Every message of the daemon is 8 int32: a kind, then six axes, or a button, or the device that was added or removed. The
last motion is all zeros; after it, a cap at rest can be silent for hours. Three faults are distinguished from rest:

- the socket closes: the daemon has ended;
- the daemon reports that a device was removed;
- the daemon hangs. A second connection requests a heartbeat continuously. It requests the protocol version that is
  already in use, because that is the only request that the daemon answers without writing it into its log.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
from collections.abc import Iterator

from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.runtime.clock import Clock

__all__ = ["SpacenavLink"]

EVENT = struct.Struct("=8i")
WORD = struct.Struct("=i")
MOTION, PRESS, RELEASE, DEVICE = range(4)
REMOVED = 1
TAG = 0x7FAA0000  # part of every request; as a float it is NaN, so an older daemon ignores it
SPEAK = TAG | 0x5500  # plus the version of the protocol
DEVICE_TYPE = TAG | 0x2005
MOTIONS_ONLY, WITH_DEVICES = 0, 1  # versions of the protocol
CHUNK = 4096


class SpacenavLink:
    """One pair of connections to the daemon.

    Args:
        path: Path of its socket.
        handle: Receives the changes of cap and buttons.
        pulse_s: Time between two heartbeat requests to the daemon.
        answer_s: Longest time of the daemon to answer a request.
        clock: Monotonic clock.

    Raises:
        OSError: There is no daemon, it does not answer, or it is older than 1.0.
    """

    def __init__(self, path: str, handle: Handle, pulse_s: float, answer_s: float, clock: Clock) -> None:
        self._handle, self._clock = handle, clock
        self._pulse_ns, self._answer_ns = round(pulse_s * 1e9), round(answer_s * 1e9)
        self._selector = selectors.DefaultSelector()
        self._pending = {WITH_DEVICES: b"", MOTIONS_ONLY: b""}
        self._sockets: dict[int, socket.socket] = {}
        self._presence_known = False
        try:
            for version in (WITH_DEVICES, MOTIONS_ONLY):
                self._sockets[version] = _connected(path, version, answer_s)
                self._selector.register(self._sockets[version], selectors.EVENT_READ, version)
            self._asked_ns = self._answered_ns = clock.now_ns()
            self._learn_presence(answer_s)
        except BaseException:
            self.close()
            raise

    def serve(self, timeout_s: float) -> None:
        """Process events, and check that the daemon is alive. Raises OSError when it is not."""
        for key, _ in self._selector.select(timeout_s):
            for word, event in self._received(key.data):
                self._take(key.data, word, event)
        now_ns = self._clock.now_ns()
        waiting = self._answered_ns < self._asked_ns
        if waiting and now_ns - self._asked_ns > self._answer_ns:
            raise TimeoutError(f"spacenavd has not answered for {self._answer_ns / 1e9:.2f} s")
        if not waiting and now_ns - self._asked_ns >= self._pulse_ns:
            self._asked_ns = now_ns
            self._sockets[MOTIONS_ONLY].sendall(WORD.pack(SPEAK | MOTIONS_ONLY))

    def close(self) -> None:
        """Close both connections."""
        self._selector.close()
        for each in self._sockets.values():
            each.close()

    def _learn_presence(self, answer_s: float) -> None:
        """Ask whether there is a device, and wait for the answer."""
        self._ask_presence()
        until_ns = self._clock.now_ns() + round(answer_s * 1e9)
        while not self._presence_known:
            left_s = (until_ns - self._clock.now_ns()) / 1e9
            if left_s <= 0.0:
                raise TimeoutError(f"spacenavd did not say within {answer_s:.2f} s whether it has a device")
            self.serve(left_s)

    def _ask_presence(self) -> None:
        self._sockets[WITH_DEVICES].sendall(EVENT.pack(DEVICE_TYPE, *[0] * 7))

    def _received(self, version: int) -> Iterator[tuple[int, tuple[int, ...] | None]]:
        """Yield every complete message of one connection: its first word, and the rest if there is any."""
        chunk = self._sockets[version].recv(CHUNK)
        if not chunk:
            raise ConnectionResetError("spacenavd has ended")
        data = self._pending[version] + chunk
        while len(data) >= WORD.size:
            (word,) = WORD.unpack_from(data)
            alone = version == MOTIONS_ONLY and word & ~0xFF == SPEAK
            size = WORD.size if alone else EVENT.size
            if len(data) < size:
                break
            yield word, None if alone else EVENT.unpack_from(data)[1:]
            data = data[size:]
        self._pending[version] = data

    def _take(self, version: int, word: int, event: tuple[int, ...] | None) -> None:
        if event is None:
            self._answered_ns = max(self._clock.now_ns(), self._asked_ns)
        elif version == MOTIONS_ONLY:
            return  # the other connection receives it too
        elif word == MOTION:
            self._handle.move(event[:6])
        elif word in (PRESS, RELEASE):
            self._handle.press(event[0], word == PRESS)
        elif word == DEVICE and event[0] == REMOVED:
            # Only the daemon's answer tells if another device is left.
            self._handle.lose()
            self._ask_presence()
        elif word == DEVICE:
            self._handle.found()
        elif word & 0xFFFF == DEVICE_TYPE & 0xFFFF:
            self._presence_known = True
            if event[6] == 0:
                self._handle.found()


def _connected(path: str, version: int, answer_s: float) -> socket.socket:
    """Connect and agree on the protocol. Motions received meanwhile are dropped; a moving device repeats them."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(answer_s)
        connection.connect(path)
        connection.sendall(WORD.pack(SPEAK | version))
        while (word := WORD.unpack(_exactly(connection, WORD.size))[0]) & ~0xFF != SPEAK:
            _exactly(connection, EVENT.size - WORD.size)
        if word & 0xFF != version:
            raise OSError(f"spacenavd speaks version {word & 0xFF} of its protocol, expected {version}")
        connection.settimeout(None)
        connection.setblocking(True)
    except TimeoutError:
        connection.close()
        raise TimeoutError(
            f"{path}: spacenavd did not answer within {answer_s:.2f} s; is it version 1.0 or later?"
        ) from None
    except OSError as error:
        connection.close()
        raise OSError(f"{path}: {os.strerror(error.errno) if error.errno else error}; is spacenavd running?") from error
    return connection


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise ConnectionResetError("spacenavd has closed the connection")
        data += chunk
    return data
