"""Failed handshakes as ZeroMQ's socket monitor reports them; the socket itself only stays silent."""

from __future__ import annotations

import contextlib
import socket

import zmq
from zmq.utils.monitor import recv_monitor_message

__all__ = ["HandshakeError", "HandshakeMonitor", "confirmed", "explain", "offered_mechanism"]

FAILURES: dict[int, str] = {
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "not admitted",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "another protocol",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "cut off",
}
# A peer that exits during a handshake also cuts it off, once; a peer that refuses cuts off every one.
CUT_OFFS = 3


# How a ZMTP 3 peer introduces itself; 64 bytes in all, of which it sends the rest when it has seen our first twelve.
SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
VERSION = b"\x03\x00"
GREETING_BYTES = 64
MECHANISM = slice(12, 32)
PROBE_S = 0.3


class HandshakeError(ConnectionError):
    """The other side refused this one's key, or speaks without keys, or with another key than the paired one."""


class HandshakeMonitor:
    """The failed handshakes of one socket. Watch `socket` in the poller of the thread that owns it."""

    def __init__(self, watched: zmq.Socket[bytes]) -> None:
        self._watched = watched
        self._cut_offs = 0
        self.socket: zmq.Socket[bytes] = watched.get_monitor_socket(sum(FAILURES) | zmq.EVENT_HANDSHAKE_SUCCEEDED)

    def failure(self) -> str:
        """Return the reason why handshakes fail, in two words; "" while none has failed."""
        found = ""
        while self.socket.poll(0):
            event = recv_monitor_message(self.socket, zmq.NOBLOCK)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._cut_offs = 0
            elif event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL and self._cut_offs + 1 < CUT_OFFS:
                self._cut_offs += 1
            else:
                found, self._cut_offs = FAILURES[event], 0
        return found

    def close(self) -> None:
        """Stop watching. Call this before the watched socket is closed."""
        self._watched.disable_monitor()
        self.socket.close(linger=0)


def confirmed(failure: str, address: str, keyed: bool) -> str:
    """Return the failure when the keys must be its cause, and "" when the learner may not be listening (yet).

    A tunnel or a proxy takes a connection and cuts it off as long as no learner listens behind it.
    """
    if failure != FAILURES[zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL]:
        return failure
    offered = offered_mechanism(address)
    if offered == ("CURVE" if keyed else "NULL"):
        return failure if keyed else ""
    return FAILURES[zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL] if offered else ""


def offered_mechanism(address: str) -> str:
    """Return the mechanism that a listening ZeroMQ socket requires, CURVE or NULL; "" when there is no such socket.

    Takes a few milliseconds, and PROBE_S where a listener sends nothing.
    """
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    greeting = b""
    with contextlib.suppress(OSError), socket.create_connection((host.strip("[]"), int(port)), PROBE_S) as probe:
        probe.settimeout(PROBE_S)
        probe.sendall(SIGNATURE + VERSION)
        while len(greeting) < GREETING_BYTES and (part := probe.recv(GREETING_BYTES - len(greeting))):
            greeting += part
    speaks_zmtp = len(greeting) == GREETING_BYTES and greeting[0] == SIGNATURE[0] and greeting[9] == SIGNATURE[9]
    return greeting[MECHANISM].rstrip(b"\0").decode("ascii", "replace") if speaks_zmtp else ""


def explain(address: str, failure: str, own: str | None, learner: str | None) -> HandshakeError:
    """Return the error that an actor raises.

    Args:
        address: Address of the learner.
        failure: The failure from `HandshakeMonitor.failure`.
        own: The fingerprint of this machine's key; None without keys.
        learner: The fingerprint of the key that the learner should have; None without keys.
    """
    if own is None:
        why = "it asks for keys, or is no learner; pair the two machines and choose transport=network here too"
    elif failure == FAILURES[zmq.EVENT_HANDSHAKE_FAILED_AUTH]:
        why = (
            f"it does not admit this machine's key {own}; "
            "there, `steadyhand keys list` shows who is paired and `steadyhand keys pair actor` adds one"
        )
    elif failure == FAILURES[zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL]:
        why = "it serves without keys, or is no learner; start it with transport=network"
    else:
        why = (
            f"its key is not the paired one, {learner}; compare with `steadyhand keys list` there, "
            "and if they differ run `steadyhand keys pair learner`"
        )
    return HandshakeError(f"learner at {address}: the handshake failed ({failure}): {why}")
