"""The clock of the control loop: the machine's monotonic one, or a simulator's /clock."""

from __future__ import annotations

from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node

from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["RosClock"]

_SLICE_NS = 1_000_000  # short beside a control period: a simulator's time comes in steps of its own
_LARGEST_STEP_S = 1.0
_STANDS_NS = 1_000_000_000  # of the machine's time without a step of the simulator's


class RosClock:
    """Time that only moves forward.

    With `use_sim_time` it follows /clock, without the jumps: a simulator that is set back, or far ahead, is no reason
    for a reading to be old. Otherwise ROS time is not looked at, so that setting the date changes nothing.

    While /clock stands still nothing waits for it: `sleep_until` returns early, and `stands` says why.
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
        """Return the time now, in nanoseconds."""
        if not self._is_simulated:
            return self._monotonic.now_ns()
        # Between a jump and its callback another thread may ask.
        self._last_ns = max(self._last_ns, self._look() - self._jumped_ns)
        return self._last_ns

    def stands(self) -> bool:
        """Return whether the simulator's /clock was never heard, or has stood still for a second."""
        if not self._is_simulated:
            return False
        never_heard = self._look() == 0
        return never_heard or self._monotonic.now_ns() - self._moved_ns > _STANDS_NS

    def sleep_until(self, t_ns: int) -> None:
        """Return when `now_ns() >= t_ns`, at once when that is already so; or while the clock stands."""
        if not self._is_simulated:
            self._monotonic.sleep_until(t_ns)
            return
        while self.now_ns() < t_ns:
            self._monotonic.sleep_until(self._monotonic.now_ns() + _SLICE_NS)
            if self.stands():
                return

    def _look(self) -> int:
        """Return the simulator's time [ns], 0 before the first, and note when it was last another."""
        now_ns = int(self._clock.now().nanoseconds)
        if now_ns != self._newest_ns:
            self._newest_ns, self._moved_ns = now_ns, self._monotonic.now_ns()
        return now_ns

    def _on_jump(self, jump: Any) -> None:
        self._jumped_ns += int(jump.delta.nanoseconds)
