"""The recorder node: it writes the actor's topics into an MCAP bag for Foxglove and `ros2 bag`, in its own process."""

from __future__ import annotations

import importlib
import threading
from functools import partial
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from actor_ros import qos
from actor_ros.parameters import compose_config, robot_config
from actor_ros.spin import run
from actor_ros.topics import ROBOT, TOPICS, Topic
from steadyhand.robot_envs.profile import ControllerProfile
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.clock import wall_time_ns
from steadyhand.runtime.leave import leave

__all__ = ["RecorderNode", "recorded"]

_LOOK_S = 0.1
_CAMERA, _MOCK = "<camera>", "mock_robot/"


class RecorderNode(Node):
    """The node. It receives serialised messages and writes them unchanged."""

    def __init__(self) -> None:
        super().__init__("recorder")
        profile = robot_config(compose_config(self)).profile
        description = "Folder of the bag; it must not exist yet."
        self.declare_parameter("folder", "", ParameterDescriptor(description=description, read_only=True))
        self._lock, self._is_empty = threading.Lock(), True
        self._writer, typestore = _open(str(self.get_parameter("folder").value))
        for topic, name in recorded(profile):
            package, _, kind = topic.message.partition("/msg/")
            message_type = getattr(importlib.import_module(f"{package}.msg"), kind)
            full = self.resolve_topic_name(name)
            connection = self._writer.add_connection(full, topic.message, typestore=typestore)
            write = partial(self._write, connection)
            self.create_subscription(message_type, name, write, qos.profile(topic.requested), raw=True)

    def work(self, stop: threading.Event) -> None:
        """Wait while the callbacks write."""
        while not stop.wait(_LOOK_S):
            pass

    def close(self) -> None:
        """Finish the bag."""
        with self._lock:
            self._writer.close()

    def _write(self, connection: Any, message: bytes) -> None:
        with self._lock:
            self._writer.write(connection, wall_time_ns(), message)
            is_first, self._is_empty = self._is_empty, False
        if is_first:
            self.get_logger().info("recording")


def recorded(profile: ControllerProfile) -> list[tuple[Topic, str]]:
    """Return the topics of a bag, with their names on this robot.

    Images and the mock's own topics are left out.
    """
    kinds = {"pose": "PoseStamped", "twist": "TwistStamped", "joint": "JointState"}
    found: dict[str, tuple[Topic, str]] = {}
    for topic in TOPICS:
        name = _name(topic, profile)
        is_other_mode = "command_mode" in topic.description and not topic.message.endswith(kinds[profile.command_mode])
        if name and not is_other_mode and not topic.name.startswith((_CAMERA, _MOCK)):
            found.setdefault(name, (topic, name))
    return list(found.values())


def _name(topic: Topic, profile: ControllerProfile) -> str:
    """Return a topic's name in the profile; "" if the robot has no such topic."""
    value: Any = profile
    for key in topic.profile_key.split(".") if topic.profile_key else []:
        value = getattr(value, key, None)
    is_foreign = topic.publisher == ROBOT and topic.profile_key == "fault.topic"
    if is_foreign and profile.fault is not None and profile.fault.kind != "bool":
        return ""
    is_action = profile.gripper is not None and profile.gripper.kind != "topic"
    if topic.profile_key == "gripper.command" and is_action:
        return ""
    return topic.name if not topic.profile_key else str(value or "")


def _open(folder: str) -> tuple[Any, Any]:
    try:
        from rosbags.rosbag2 import StoragePlugin, Writer
        from rosbags.typesys import Stores, get_typestore
    except ImportError:
        raise ConfigError("record: needs the package rosbags, which is not installed; pip install rosbags") from None
    if not folder or Path(folder).exists():
        raise ConfigError(f"record: expected a folder that does not exist yet, found {folder!r}")
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
    writer.open()
    return writer, get_typestore(Stores.ROS2_JAZZY)


def main() -> None:
    """Run the node."""
    leave(run(RecorderNode))


if __name__ == "__main__":
    main()
