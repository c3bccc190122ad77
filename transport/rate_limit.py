"""A limit on how often a peer may send a bad message or start another session."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from steadyhand.runtime.clock import Clock

__all__ = ["RateLimit"]

NS_PER_S = 1_000_000_000


class RateLimit:
    """Counts the acts of each peer. A peer with `limit` acts within the last `window_s` is over the limit.

    One thread counts; any other may ask. The memory is bounded: of more than `peers` peers, the one
    that has not acted for the longest time is forgotten.
    """

    def __init__(self, limit: int, window_s: float, peers: int, clock: Clock) -> None:
        self._limit, self._window_ns, self._peers, self._clock = limit, round(window_s * NS_PER_S), peers, clock
        self._times: dict[Hashable, deque[int]] = {}  # newest times of each [ns]; the latest peer is last

    def count(self, peer: Hashable) -> bool:
        """Count one act; return whether the peer is over the limit by it."""
        before = self.exceeded(peer)
        times = self._times.pop(peer, None) or deque(maxlen=self._limit)
        times.append(self._clock.now_ns())
        self._times[peer] = times
        if len(self._times) > self._peers:
            del self._times[next(iter(self._times))]
        return not before and self.exceeded(peer)

    def exceeded(self, peer: Hashable) -> bool:
        """Return whether the peer is over the limit."""
        times = self._times.get(peer)
        return times is not None and len(times) == self._limit and self._clock.now_ns() - times[0] < self._window_ns
