"""Quality-of-service profiles, by their names in the table of topics."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

from actor_ros.topics import QosName

__all__ = ["profile"]

_BEST_EFFORT, _RELIABLE = ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE
_VOLATILE, _LATCHED = DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL

# Depth 1, because a late target or reading is useless. Images are published reliably, so that any subscriber matches.
_QOS: dict[QosName, tuple[ReliabilityPolicy, DurabilityPolicy, int]] = {
    "command": (_RELIABLE, _VOLATILE, 1),
    "event": (_RELIABLE, _VOLATILE, 10),
    "image": (_RELIABLE, _VOLATILE, 1),
    "latched": (_RELIABLE, _LATCHED, 1),
    "sensor": (_BEST_EFFORT, _VOLATILE, 1),
    "state": (_RELIABLE, _VOLATILE, 1),
}


def profile(name: QosName) -> QoSProfile:
    """Return the quality-of-service profile of that name."""
    reliability, durability, depth = _QOS[name]
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=durability,
        liveliness=LivelinessPolicy.AUTOMATIC,
    )
