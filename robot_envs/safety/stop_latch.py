"""The latched stop of an environment."""

from __future__ import annotations

import threading

from steadyhand.robot_envs.safety.stop_reason import StopReason

__all__ = ["StopLatch"]


class StopLatch:
    """Latch of the first reason to stop, until a resume. Its methods may be called from any thread.

    Attributes:
        reason: The latched reason; None while nothing is latched.
        source: Name of the source that is silent or at fault; "" if the reason has none.
        stops: Number of all stops, latched or not.
    """

    def __init__(self) -> None:
        self.reason: StopReason | None = None
        self.source = ""
        self.stops = 0
        self._lock = threading.Lock()

    def stop(self, reason: StopReason, source: str = "") -> None:
        """Latch `reason`, unless another reason is latched already."""
        with self._lock:
            self.stops += 1
            if self.reason is None:
                self.source, self.reason = source, reason

    def resume(self, since: int | None = None) -> bool:
        """Clear the latch.

        Args:
            since: Value of `stops` when the operator confirmed; a later stop stays latched. None = now.

        Returns:
            True when no stop is latched now.
        """
        with self._lock:
            if since is None or since == self.stops:
                self.reason, self.source = None, ""
            return self.reason is None
