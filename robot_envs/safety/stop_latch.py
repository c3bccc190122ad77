"""The latched stop of an environment that has no safety gate."""

from __future__ import annotations

import threading

from steadyhand.robot_envs.safety.stop_reason import StopReason

__all__ = ["StopLatch"]


class StopLatch:
    """Keeps the first reason to stop until it is resumed. Any thread may call."""

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        self.stops = 0  # every stop counts, latched or not
        self._lock = threading.Lock()

    def stop(self, reason: StopReason) -> None:
        """Stop for `reason`, unless another reason is latched already."""
        with self._lock:
            self.stops += 1
            self.reason = self.reason or reason

    def resume(self, since: int | None = None) -> bool:
        """Clear the latch.

        Args:
            since: `stops` at the moment when the operator said that it is safe; a later stop stays latched. None = now.

        Returns:
            True when no stop is latched now.
        """
        with self._lock:
            if since is None or since == self.stops:
                self.reason = None
            return self.reason is None
