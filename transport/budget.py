"""How often a peer may do what it should not do often: send a bad message, start another session."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

from steadyhand.runtime.clock import Clock

__all__ = ["Budget"]

NS_PER_S = 1_000_000_000


class Budget:
    """Counts what each peer does. One that did it `limit` times within `window_s` has spent its budget until then.

    One thread counts; any other may ask. The memory is bounded: of more than `peers` the one that did nothing for the
    longest time is forgotten.
    """

    def __init__(self, limit: int, window_s: float, peers: int, clock: Clock) -> None:
        self._limit, self._window_ns, self._peers, self._clock = limit, round(window_s * NS_PER_S), peers, clock
        self._times: dict[Hashable, deque[int]] = {}  # the newest times of each, in ns; who did it last stands last

    def spend(self, peer: Hashable) -> bool:
        """Count once; return whether that spent the budget."""
        before = self.is_spent(peer)
        times = self._times.pop(peer, None) or deque(maxlen=self._limit)
        times.append(self._clock.now_ns())
        self._times[peer] = times
        if len(self._times) > self._peers:
            del self._times[next(iter(self._times))]
        return not before and self.is_spent(peer)

    def is_spent(self, peer: Hashable) -> bool:
        """Return whether the peer did it too often of late."""
        times = self._times.get(peer)
        return times is not None and len(times) == self._limit and self._clock.now_ns() - times[0] < self._window_ns
