"""One connection of an actor to its learner, and the request that it serves."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

import zmq

from steadyhand.transport.handshake import HandshakeMonitor
from steadyhand.transport.wire import Accept, Hello

__all__ = ["Attempt", "LearnerLink"]


@dataclass
class Attempt:
    """A request to connect; the sockets' thread answers it once, and keeps the session connected from then on."""

    hello: Hello
    answer: Future[Accept]


@dataclass
class LearnerLink:
    """A connection with its state; times are those of the sockets' thread [s].

    After a loss a new one is made, so no message queued in the old one arrives late.

    Attributes:
        attempt: The request that it serves.
        dealer: The socket of the session.
        monitor: Watches the handshake.
        silent_s: Time at which the learner counts as gone.
        beat_s: Time of the next sign of life.
        stalled_s: Time to send the window again, if no acknowledgement brings news.
        accepted: Whether the learner has accepted the session over this connection.
        learner_epoch: Number of the learner's start.
        claim_s: Time to ask for published weights that have not come.
        wire_errors: Number of bad messages of the learner.
    """

    attempt: Attempt
    dealer: zmq.Socket[bytes]
    monitor: HandshakeMonitor
    silent_s: float
    beat_s: float
    stalled_s: float
    accepted: bool = False
    learner_epoch: int = 0
    claim_s: float = 0.0
    wire_errors: int = 0

    def join(self, poller: zmq.Poller) -> None:
        """Have both sockets polled."""
        for socket in (self.dealer, self.monitor.socket):
            poller.register(socket, zmq.POLLIN)

    def leave(self, poller: zmq.Poller) -> None:
        """Take both sockets out of the poller and close them."""
        for socket in (self.dealer, self.monitor.socket):
            poller.unregister(socket)
        self.monitor.close()
        self.dealer.close(linger=0)

    def send(self, frames: list[bytes]) -> bool:
        """Queue a message; return whether there was room for it."""
        try:
            self.dealer.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True
