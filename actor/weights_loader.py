"""Loading of newer weights into the policy: checked beside the control loop, swapped in between two of its steps."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.transport.weights import Weights

__all__ = ["WeightsLoader"]


@dataclass(frozen=True)
class _Offer:
    weights: Weights
    seen: dict[str, NDArray[Any]]  # observations to try them out on


class WeightsLoader:
    """Hands a runner the newest weights. Only the thread that acts calls it.

    Args:
        runner: Acts; its second network is this loader's alone.
        in_background: Whether weights are checked on a thread of their own, so that they cost the control loop no time.
            Otherwise they take over at once, so that the same seed gives the same run.
    """

    def __init__(self, runner: PolicyRunner, in_background: bool) -> None:
        self._runner = runner
        self._changed = threading.Condition()
        self._pending: _Offer | None = None  # the newest, not yet checked
        self._sound: Weights | None = None  # passed every check, in the second network
        self._failure: Exception | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        if in_background:
            self._thread = threading.Thread(target=self._run, name="weights", daemon=True)
            self._thread.start()

    def offer(self, weights: Weights) -> None:
        """Queue newer weights for the check; they replace those that wait for it."""
        if self._thread is None:
            self._runner.offer(weights)
            return
        seen = {name: array.copy() for name, array in self._runner.seen.items()}
        with self._changed:
            self._pending = _Offer(weights, seen)
            self._changed.notify()

    def take(self) -> bool:
        """Switch to weights that have passed every check since, if there are any; return whether it did.

        Raises:
            Exception: The error that has ended the thread.
        """
        if self._thread is None:
            return False
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._sound is None:
                return False
            self._runner.swap(self._sound)
            self._sound = None
            self._changed.notify()
        return True

    def close(self) -> None:
        """End the thread, after the check at hand."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while (offer := self._next()) is not None:
                if self._runner.check(offer.weights, offer.seen):
                    with self._changed:
                        self._sound = offer.weights
        except Exception as error:  # raised on the thread that acts
            with self._changed:
                self._failure = error

    def _next(self) -> _Offer | None:
        """Return the next weights to check once the second network is free; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or (self._pending is not None and self._sound is None))
            offer, self._pending = self._pending, None
            return None if self._closing else offer
