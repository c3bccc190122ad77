"""How many bad messages a peer may send before nobody listens to it any more."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from runtime.clock import Clock

__all__ = ["ErrorBudget"]

NS_PER_S = 1_000_000_000


class ErrorBudget:
    """Counts each peer's errors. One that made `limit` of them within `window_s` is dropped for as long.

    One thread counts; any other may ask. The memory is bounded: of more than `peers` the one longest without an error
    is forgotten.
    """

    def __init__(self, limit: int, window_s: float, peers: int, clock: Clock) -> None:
        self._limit, self._window_ns, self._peers, self._clock = limit, round(window_s * NS_PER_S), peers, clock
        self._errors: dict[Hashable, deque[int]] = {}  # the newest times of each, in ns; who erred last stands last

    def spend(self, peer: Hashable) -> bool:
        """Count one error; return whether it was the one too many."""
        before = self.is_spent(peer)
        times = self._errors.pop(peer, None) or deque(maxlen=self._limit)
        times.append(self._clock.now_ns())
        self._errors[peer] = times
        if len(self._errors) > self._peers:
            del self._errors[next(iter(self._errors))]
        return not before and self.is_spent(peer)

    def is_spent(self, peer: Hashable) -> bool:
        """Return whether the peer is dropped."""
        times = self._errors.get(peer)
        return times is not None and len(times) == self._limit and self._clock.now_ns() - times[0] < self._window_ns
