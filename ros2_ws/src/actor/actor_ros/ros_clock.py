"""The clock of the control loop: the machine's monotonic one, or a simulator's /clock."""

from __future__ import annotations

from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node

from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["RosClock"]

_SLICE_NS = 1_000_000  # much shorter than a control period, because a simulator's time advances in its own steps
_LARGEST_STEP_S = 1.0
_STANDS_NS = 1_000_000_000  # machine time without a step of the simulator's clock


class RosClock:
    """A clock that only moves forward.

    With `use_sim_time` it follows /clock without its jumps, so that a reset or a jump of the simulator makes no reading
    old. Otherwise it ignores ROS time, so that setting the date has no effect.

    While /clock stands still, `sleep_until` returns early and `stands` returns True.
    """

    def __init__(self, node: Node) -> None:
        self._monotonic: Clock = MonotonicClock()
        self._is_simulated = bool(node.get_parameter("use_sim_time").value)
        self._clock = node.get_clock()
        self._jumped_ns = 0
        self._last_ns = 0
        self._newest_ns, self._moved_ns = 0, self._monotonic.now_ns()
        if self._is_simulated:
            threshold = JumpThreshold(
                min_forward=Duration(seconds=_LARGEST_STEP_S), min_backward=Duration(nanoseconds=-1)
            )
            self._jumps = self._clock.create_jump_callback(threshold, post_callback=self._on_jump)

    def now_ns(self) -> int:
        """Return the current time [ns]."""
        if not self._is_simulated:
            return self._monotonic.now_ns()
        # Another thread may call this between a jump and its callback.
        self._last_ns = max(self._last_ns, self._look() - self._jumped_ns)
        return self._last_ns

    def stands(self) -> bool:
        """Return whether the simulator's /clock was never heard, or has stood still for a second."""
        if not self._is_simulated:
            return False
        never_heard = self._look() == 0
        return never_heard or self._monotonic.now_ns() - self._moved_ns > _STANDS_NS

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until `now_ns() >= t_ns`; return early if the clock stands still."""
        if not self._is_simulated:
            self._monotonic.sleep_until(t_ns)
            return
        while self.now_ns() < t_ns:
            self._monotonic.sleep_until(self._monotonic.now_ns() + _SLICE_NS)
            if self.stands():
                return

    def _look(self) -> int:
        """Return the simulator's time [ns], 0 before the first message, and note the time of its last change."""
        now_ns = int(self._clock.now().nanoseconds)
        if now_ns != self._newest_ns:
            self._newest_ns, self._moved_ns = now_ns, self._monotonic.now_ns()
        return now_ns

    def _on_jump(self, jump: Any) -> None:
        self._jumped_ns += int(jump.delta.nanoseconds)
