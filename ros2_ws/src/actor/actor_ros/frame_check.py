"""The check of every stamped input's frame_id against the profile: a message in another frame is discarded."""

from __future__ import annotations

import time

from rclpy.node import Node

from steadyhand.robot_envs.driver_frames import frame_fault
from steadyhand.robot_envs.profile import ControllerProfile

__all__ = ["FrameCheck"]

_REMEMBERED_S = 1.0  # two drivers may take turns on one topic


class FrameCheck:
    """Frame check of one robot's stamped inputs. It logs the first message of a topic in a wrong frame.

    Args:
        node: The node whose logger is used.
        profile: The profile with the topics and their frames.
    """

    def __init__(self, node: Node, profile: ControllerProfile) -> None:
        self._node = node
        self._expected = {
            topic: (f"frames.{name}", str(getattr(profile.frames, name)))
            for name in ("pose", "twist", "wrench")
            if (topic := getattr(profile.topics, name)) is not None
        }
        self._faults: dict[str, tuple[str, float]] = {}

    def fits(self, topic: str, frame_id: str) -> bool:
        """Return whether a message that was just received is in the right frame."""
        setting, expected = self._expected[topic]
        if frame_id == expected:
            return True
        fault = frame_fault(topic, setting, expected, frame_id)
        if self._faults.get(topic, ("", 0.0))[0] != fault:
            self._node.get_logger().error(fault)
        self._faults[topic] = (fault, time.monotonic())
        return False

    @property
    def fault(self) -> str:
        """The line about a topic with a message in a wrong frame within the last second; "" without one."""
        now = time.monotonic()
        return next((fault for fault, at in list(self._faults.values()) if now - at < _REMEMBERED_S), "")
