"""A thread that owns ZeroMQ sockets: no other thread touches them, and any thread may wake it."""

from __future__ import annotations

import ipaddress
import os
import threading
from abc import ABC, abstractmethod
from typing import Any

import zmq

from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.logging import get_logger, quoted
from steadyhand.transport.config import TransportConfig
from steadyhand.transport.wire import MAX_FRAMES, MAX_HEADER_BYTES

__all__ = ["InsecureAddressError", "SocketThread", "check_address"]

NS_PER_S = 1_000_000_000
RECEIVE_HWM = 16  # messages; times max_frame_bytes it bounds the memory that peers can fill
HANDSHAKE_MS = 2_000
CLOSE_BUDGET_S = 2.0
MOST_PROBES = 127  # the kernel's maximum

_log = get_logger("transport")
_Socket = zmq.Socket[bytes]


class InsecureAddressError(ValueError):
    """An address that would serve other machines without authentication."""


class SocketThread(ABC):
    """Base of both ends of the link: sockets with bounded queues, a wake-up that never blocks, a bounded shutdown."""

    def __init__(self, name: str, config: TransportConfig, clock: Clock | None) -> None:
        self.config = config
        self.failure: Exception | None = None  # why the thread ended by itself
        self._clock = clock or MonotonicClock()
        self._context: zmq.Context[_Socket] = zmq.Context()
        self._curve: dict[int, int | bytes] = {}  # options that give every socket its keys
        self._wake_lock = threading.Lock()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._closing = False
        self._poller = zmq.Poller()
        self._poller.register(self._wake_fd, zmq.POLLIN)
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    @abstractmethod
    def _step(self) -> None:
        """Wait for something to do, for a bounded time, and do it."""

    @abstractmethod
    def _leave(self) -> None:
        """Say goodbye and release everything but the sockets; the last call on the thread."""

    def start(self) -> None:
        """Start the thread, unless it runs already."""
        if not self._thread.ident:
            self._thread.start()

    def wake(self) -> None:
        """Make the thread look for work. Cheap, never blocks, callable from any thread at any time."""
        with self._wake_lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def close(self) -> None:
        """Stop the thread and close its sockets, within a bounded time. A second call does nothing."""
        self._closing = True
        self.wake()
        if self._thread.ident:
            self._thread.join(CLOSE_BUDGET_S)
            if self._thread.is_alive():
                _log.warning("%s: did not stop within %.1f s", self._thread.name, CLOSE_BUDGET_S)
                return
        elif not self._context.closed:
            self._leave()
            self._destroy(linger_ms=0)
        with self._wake_lock:
            if self._wake_fd >= 0:
                os.close(self._wake_fd)
                self._wake_fd = -1

    def _socket(self, kind: int, send_hwm: int, max_bytes: int, conflate: bool = False) -> _Socket:
        """Return a new socket that takes messages of at most `max_bytes`, or the size of a header.

        All options are set here: most do nothing after bind or connect.
        """
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, int(self.config.linger_s * 1000))
        socket.setsockopt(zmq.SNDHWM, send_hwm)
        socket.setsockopt(zmq.RCVHWM, RECEIVE_HWM)
        socket.setsockopt(zmq.MAXMSGSIZE, max(max_bytes, MAX_HEADER_BYTES))
        socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
        self._keep_alive(socket)
        if conflate:
            socket.setsockopt(zmq.CONFLATE, 1)
        for option, value in self._curve.items():
            socket.setsockopt(option, value)
        return socket

    def _keep_alive(self, socket: _Socket) -> None:
        """Let the kernel drop the connection of a machine that is gone. Our own heartbeats detect a process that hangs.

        Not ZeroMQ's heartbeats: a process that was stopped for longer than they allow, and goes on, is aborted by an
        assertion (libzmq #4364).
        """
        beat_s = max(1, round(self.config.heartbeat_s))
        socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, beat_s)
        socket.setsockopt(zmq.TCP_KEEPALIVE_INTVL, beat_s)
        socket.setsockopt(zmq.TCP_KEEPALIVE_CNT, min(self.config.liveness_heartbeats, MOST_PROBES))
        socket.setsockopt(zmq.TCP_MAXRT, 1000 * beat_s * self.config.liveness_heartbeats)

    def _receive_frames(self, socket: _Socket) -> tuple[list[bytes], str]:
        """Return the frames of one message and its sender: the user id of a client's key, else "".

        A message may have any number of frames. Of those beyond our largest message, only one is kept, as a sign of it.
        """
        frames: list[zmq.Frame] = []
        more = True
        while more:
            frame = socket.recv(zmq.NOBLOCK, copy=False)
            more = frame.more
            if len(frames) <= MAX_FRAMES + 1:  # one is a ROUTER's
                frames.append(frame)
        user = str(frames[0].get("User-Id")) if zmq.CURVE_SERVER in self._curve else ""
        return [frame.bytes for frame in frames], user

    def _wait(self, timeout_s: float) -> set[Any]:
        """Return the sockets that have a message, after `timeout_s`, a message or a wake-up."""
        ready = {source for source, _ in self._poller.poll(max(0, round(timeout_s * 1000)))}
        if self._wake_fd in ready:
            os.eventfd_read(self._wake_fd)
        return ready

    def _now_s(self) -> float:
        return self._clock.now_ns() / NS_PER_S

    def _main(self) -> None:
        try:
            while not self._closing:
                self._step()
            self._leave()
        except Exception as error:  # of any kind: the owner of this object must see it
            self.failure = error
            _log.exception("%s: stopped by an error", self._thread.name)
        finally:
            self._destroy(linger_ms=int(self.config.linger_s * 1000))

    def _destroy(self, linger_ms: int) -> None:
        """Close every socket; give up a queue that no peer empties after `linger_ms`."""
        self._context.destroy(linger=linger_ms)


def check_address(address: str, keyed: bool) -> None:
    """Refuse an unencrypted link to another machine, for learner and actor alike.

    Args:
        address: Address to listen at, or to connect to.
        keyed: Whether this side has keys.

    Raises:
        InsecureAddressError: It is not a `tcp://` address, or, without keys, not one of this machine's loopback.
    """
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not address.startswith("tcp://") or not host:
        raise InsecureAddressError(
            f"address: expected tcp://<host>:<port>, such as tcp://127.0.0.1:5555, found {quoted(address)}"
        )
    if not (local or keyed):
        raise InsecureAddressError(
            f"address {quoted(address)}: without keys only loopback may be used, such as tcp://127.0.0.1:5555; "
            "give both machines keys (`steadyhand keys --help`) and choose transport=network, or use an SSH tunnel"
        )
