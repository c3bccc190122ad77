"""The newest message of a topic, decoded on request instead of on arrival.

An executor works for every message: four topics at 1000 Hz take more than one core. Here nothing happens between two
requests; the middleware keeps the newest message and its time of arrival.
"""

from __future__ import annotations

import struct
import threading
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.node import Node
from rclpy.serialization import deserialize_message

from actor_ros import qos
from actor_ros.topics import QosName
from steadyhand.runtime.clock import Clock, wall_time_ns

__all__ = ["Latest"]

# Polling period, only for middleware that does not report a message's time of arrival (Cyclone DDS).
_LOOK_S = 0.01
_KEPT = 256  # kept messages of a shared topic: a quarter of a second at 1000 Hz


class Latest:
    """A subscription for which no executor waits. Any thread may take from it.

    Args:
        node: The node of the subscription.
        message_type: The topic's message type.
        topic: The topic's name.
        clock: The clock of the receive times.
        quality: A quality of service that keeps one message.
        containing: A string that the message must contain, such as a joint's name, because drivers may share a topic.
            Several messages are then kept. The newest one with the string is decoded, else the newest of all.
    """

    def __init__(
        self,
        node: Node,
        message_type: Any,
        topic: str,
        clock: Clock,
        quality: QosName = "sensor",
        containing: str = "",
    ) -> None:
        quality_of_service = qos.profile(quality)
        if containing:
            quality_of_service.depth = _KEPT
        length = len(containing.encode()) + 1
        # A string in CDR consists of its length, its characters, and a zero byte.
        self._marks = [struct.pack(f"{order}I", length) + containing.encode() + b"\0" for order in "<>" if containing]
        self._node, self._clock = node, clock
        self._lock = threading.Lock()
        self._found: tuple[Any, int] | None = None
        self._looked_ns = clock.now_ns()
        self._timer: Any = None
        self._subscription = node.create_subscription(
            message_type, topic, lambda message: None, quality_of_service, callback_group=_Unattended()
        )

    def take(self) -> tuple[Any, int] | None:
        """Return the newest message and its time of arrival [ns], each message once; None without a new one."""
        with self._lock:
            self._look()
            found, self._found = self._found, None
            return found

    def destroy(self) -> None:
        """End the subscription. A later `take` returns None."""
        with self._lock:
            self._found = None
            if self._timer is not None:
                self._node.destroy_timer(self._timer)
            self._node.destroy_subscription(self._subscription)

    def _look(self) -> None:
        now_ns, wall_ns = self._clock.now_ns(), wall_time_ns()
        try:
            taken = self._newest()
        except InvalidHandle:  # the node has been destroyed
            return
        if taken is not None:
            message, information = taken
            arrived_wall_ns = int(information["received_timestamp"] or 0)
            if not arrived_wall_ns and self._timer is None:
                self._timer = self._node.create_timer(_LOOK_S, self._look_in_time)
            age_ns = wall_ns - arrived_wall_ns if arrived_wall_ns else 0
            # The message arrived after the last poll. The bound also limits the effect of a change of the wall clock.
            self._found = message, min(max(now_ns - age_ns, self._looked_ns), now_ns)
        self._looked_ns = now_ns

    def _newest(self) -> tuple[Any, Any] | None:
        handle, message_type = self._subscription.handle, self._subscription.msg_type
        with handle:
            if not self._marks:
                newest: tuple[Any, Any] | None = handle.take_message(message_type, False)
                return newest
            wanted = other = None
            for _ in range(_KEPT):
                if (taken := handle.take_message(message_type, True)) is None:
                    break
                if any(mark in taken[0] for mark in self._marks):
                    wanted = taken
                else:
                    other = taken
        found = wanted or (other if self._found is None else None)
        return None if found is None else (deserialize_message(found[0], message_type), found[1])

    def _look_in_time(self) -> None:
        with self._lock:
            self._look()


class _Unattended(CallbackGroup):
    """A callback group that never runs, so that no executor waits for its entities.

    The entities are the subscription and its events. An executor that waits for an event also wakes for every message.
    """

    def can_execute(self, entity: Any) -> bool:
        """Return False."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Return False."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Do nothing: nothing has run."""
