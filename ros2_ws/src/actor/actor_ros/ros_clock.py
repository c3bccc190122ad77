"""The clock of the control loop: the machine's monotonic one, or a simulator's /clock."""

from __future__ import annotations

from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node

from runtime.clock import Clock, MonotonicClock

__all__ = ["RosClock"]

_SLICE_NS = 1_000_000  # short beside a control period: a simulator's time comes in steps of its own
_LARGEST_STEP_S = 1.0


class RosClock:
    """Time that only moves forward.

    With `use_sim_time` it follows /clock, without the jumps: a simulator that is set back, or far ahead, is no reason
    for a reading to be old. Otherwise ROS time is not looked at, so that setting the date changes nothing.
    """

    def __init__(self, node: Node) -> None:
        self._monotonic: Clock = MonotonicClock()
        self._is_simulated = bool(node.get_parameter("use_sim_time").value)
        self._clock = node.get_clock()
        self._jumped_ns = 0
        self._last_ns = 0
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
        self._last_ns = max(self._last_ns, int(self._clock.now().nanoseconds) - self._jumped_ns)
        return self._last_ns

    def sleep_until(self, t_ns: int) -> None:
        """Return when `now_ns() >= t_ns`; at once when that is already so."""
        if not self._is_simulated:
            self._monotonic.sleep_until(t_ns)
            return
        while self.now_ns() < t_ns:
            self._monotonic.sleep_until(self._monotonic.now_ns() + _SLICE_NS)

    def _on_jump(self, jump: Any) -> None:
        self._jumped_ns += int(jump.delta.nanoseconds)
