"""The newest message of a topic, taken and decoded when it is looked at instead of whenever one comes.

An executor works for every message: at 1000 Hz and four topics that is more than a core. Here nothing happens between
two looks; the middleware keeps the newest message, and the time at which it arrived.
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

# Only where the middleware does not tell when a message arrived (Cyclone DDS): how often to look for one then.
_LOOK_S = 0.01
_KEPT = 256  # messages of a shared topic between two looks: a quarter of a second at 1000 Hz


class Latest:
    """A subscription that no executor waits for. Any thread may take from it.

    Args:
        node: Has the subscription.
        message_type: Of the topic.
        topic: Its name.
        clock: Gives receive times.
        quality: A quality of service that keeps one message.
        containing: A string that the message has to contain, such as a joint's name, as drivers may share a topic.
            Some messages are kept then, and the newest with it is decoded; without one of them, the newest of all.
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
        # A string in CDR: its length, its characters, and a zero.
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
        """Return the newest message and when it arrived [ns], each message once; None without a new one."""
        with self._lock:
            self._look()
            found, self._found = self._found, None
            return found

    def _look(self) -> None:
        now_ns, wall_ns = self._clock.now_ns(), wall_time_ns()
        try:
            taken = self._newest()
        except InvalidHandle:  # the node is destroyed
            return
        if taken is not None:
            message, information = taken
            arrived_wall_ns = int(information["received_timestamp"] or 0)
            if not arrived_wall_ns and self._timer is None:
                self._timer = self._node.create_timer(_LOOK_S, self._look_in_time)
            age_ns = wall_ns - arrived_wall_ns if arrived_wall_ns else 0
            # It was not there at the last look. This also bounds what a wall clock that is set meanwhile can do.
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
    """Callbacks that never run, so that no executor waits for their entities.

    Those are the subscription and its events: an executor that waits for an event wakes up for every message too.
    """

    def can_execute(self, entity: Any) -> bool:
        """Return that it may not."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Return that it may not."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Nothing has run."""
