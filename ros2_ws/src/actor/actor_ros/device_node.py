"""The ROS node of a person's devices, one for the process, in a context of its own.

A verb such as `steadyhand teleop` has no node, and the actor's node is not within reach of a device's own class. The
middleware needs seconds to discover a new node, so the node stays when a device is lost and opened again.
"""

from __future__ import annotations

import atexit
import threading
from typing import NamedTuple

import rclpy
from rclpy.context import Context
from rclpy.node import Node

from steadyhand.runtime.clock import MonotonicClock

__all__ = ["DeviceNode", "device_node"]

_NAME = "steadyhand_devices"


class DeviceNode(NamedTuple):
    """The node, which no executor spins.

    Attributes:
        node: The node. Its namespace and remappings are those of the process's `--ros-args`.
        made_ns: Time at which it was made, by the monotonic clock.
    """

    node: Node
    made_ns: int


_lock = threading.Lock()
_made: list[DeviceNode] = []


def device_node() -> DeviceNode:
    """Return the process's node for devices, which the first call makes. Any thread may call."""
    with _lock:
        if not _made:
            context = Context()
            rclpy.init(context=context)
            # The process's arguments may rename every node in it.
            arguments = ["--ros-args", "-r", f"__node:={_NAME}"]
            node = Node(_NAME, context=context, cli_args=arguments, enable_rosout=False, start_parameter_services=False)
            _made.append(DeviceNode(node, MonotonicClock().now_ns()))
            atexit.register(_end)
        return _made[0]


def _end() -> None:
    with _lock:
        for made in _made:
            made.node.destroy_node()
            rclpy.try_shutdown(context=made.node.context)
        _made.clear()
