"""The latched stop of an environment that has no safety gate."""

from __future__ import annotations

import threading

from steadyhand.robot_envs.safety.stop_reason import StopReason

__all__ = ["StopLatch"]


class StopLatch:
    """Latch of the first reason to stop, until a resume. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        self.stops = 0  # number of all stops, latched or not
        self._lock = threading.Lock()

    def stop(self, reason: StopReason) -> None:
        """Latch `reason`, unless another reason is latched already."""
        with self._lock:
            self.stops += 1
            self.reason = self.reason or reason

    def resume(self, since: int | None = None) -> bool:
        """Clear the latch.

        Args:
            since: Value of `stops` when the operator confirmed; a later stop stays latched. None = now.

        Returns:
            True when no stop is latched now.
        """
        with self._lock:
            if since is None or since == self.stops:
                self.reason = None
            return self.reason is None
