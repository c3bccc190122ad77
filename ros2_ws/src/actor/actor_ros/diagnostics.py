"""The nodes' reports on /diagnostics."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from actor_ros import qos
from steadyhand.actor.timing import Timing

__all__ = ["Reporter", "period_facts", "period_values"]

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class Reporter:
    """Publisher of a node's status on /diagnostics; the node calls it once a second."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._name = node.get_fully_qualified_name()
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", qos.profile("event"))

    def report(self, level: bytes, message: str, values: Mapping[str, str]) -> None:
        """Publish `message` and the named values."""
        status = DiagnosticStatus(level=level, name=self._name, message=message, hardware_id=self._node.get_namespace())
        status.values = [KeyValue(key=key, value=value) for key, value in values.items()]
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def period_values(timing: Timing, missed: int) -> dict[str, str]:
    """Return the period statistics of a loop as text."""
    p50, p99, longest = timing.percentiles()
    return {
        "period_p50_ms": f"{p50:.3f}",
        "period_p99_ms": f"{p99:.3f}",
        "period_max_ms": f"{longest:.3f}",
        "periods": str(timing.count),
        "missed_periods": str(missed),
    }


def period_facts(values: Mapping[str, str]) -> dict[str, float | int]:
    """Return the values of `period_values` as numbers, under the names of a run's `loop_*.json`."""
    times = {f"{name}_ms": float(values[f"period_{name}_ms"]) for name in ("p50", "p99", "max")}
    return {**times, "periods": int(values["periods"]), "missed": int(values["missed_periods"])}
