"""Publisher of weights on a thread of its own: a checksum over megabytes must not stop training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from steadyhand.runtime.crashpoint import crashpoint
from steadyhand.transport import weights as weights_codec
from steadyhand.transport.weights import Weights

__all__ = ["Publisher", "publish_now"]

Send = Callable[[bytes], None]


class Publisher:
    """Sends the newest weights that it was given; weights with a newer successor are left out.

    Args:
        send: Called with each message, on the publisher's thread.
        learner_epoch: Number of the learner's start, in every message.
    """

    def __init__(self, send: Send, learner_epoch: int) -> None:
        self.failure: Exception | None = None  # reason why sending has ended
        self._send, self._epoch = send, learner_epoch
        self._changed = threading.Condition()
        self._newest: Weights | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._main, name="publisher", daemon=True)
        self._thread.start()

    def publish(self, policy_version: int, tensors: Mapping[str, NDArray[np.float32]]) -> None:
        """Hand weights over and return at once; the caller must not change them from now on."""
        with self._changed:
            self._newest = Weights(self._epoch, policy_version, dict(tensors))
            self._changed.notify()

    def close(self) -> None:
        """Send the waiting weights, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _main(self) -> None:
        while (weights := self._next()) is not None:
            try:
                publish_now(self._send, weights)
            except Exception as error:  # the training thread raises it
                self.failure = error
                return

    def _next(self) -> Weights | None:
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._closed)
            weights, self._newest = self._newest, None
            return weights


def publish_now(send: Send, weights: Weights) -> None:
    """Make the message and send it.

    Raises:
        WeightsError: A tensor is not finite, or there are more bytes than a message may have.
    """
    raw = weights_codec.encode(weights)
    crashpoint("publish.before")
    send(raw)
    crashpoint("publish.after")
