"""A SpaceMouse or gamepad whose driver publishes sensor_msgs/Joy, as a `Device`."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from functools import partial
from typing import Literal

from rclpy.node import Node
from sensor_msgs.msg import Joy

from actor_ros import qos
from robot_envs.devices.axes_device import AxesDevice
from robot_envs.devices.device import check_times
from robot_envs.devices.handle import Handle
from robot_envs.devices.mapping import MappingConfig
from robot_envs.devices.reader import Reader
from runtime.clock import Clock

__all__ = ["JoyConfig", "JoyLink", "make_joy"]


@dataclass(frozen=True)
class JoyConfig:
    """Which topic, and what its axes mean.

    Attributes:
        kind: joy.
        pace: The pace of a simulated robot that this device drives.
        max_age_s: A deflected device that has said nothing for so long has fallen silent.
        topic: Relative to the robot's namespace.
        retry_s: Time between two looks for a publisher that was lost.
        mapping: What axes and buttons mean.
    """

    kind: Literal["joy"]
    pace: Literal["realtime", "lockstep"]
    max_age_s: float
    topic: str
    retry_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        check_times(self, "max_age_s", "retry_s")


def make_joy(node: Node, config: JoyConfig, clock: Clock) -> AxesDevice:
    """Return the device, not yet connected. It refuses to connect while nobody publishes its topic."""
    handle = Handle(config.mapping.buttons, clock)
    arrived: queue.SimpleQueue[Joy] = queue.SimpleQueue()
    node.create_subscription(Joy, config.topic, arrived.put, qos.profile("sensor"))
    reader = Reader(config.topic, partial(JoyLink, node, config.topic, arrived, handle), handle.lose, config.retry_s)
    return AxesDevice(config.topic, "expected a driver, found none; start it", reader, handle, config.mapping, clock)


class JoyLink:
    """The topic, while somebody publishes it. The reader's thread alone writes the handle.

    Args:
        node: Looks for publishers.
        topic: Of the device.
        arrived: What the callbacks have received.
        handle: Takes axes and buttons.

    Raises:
        OSError: Nobody publishes the topic.
    """

    def __init__(self, node: Node, topic: str, arrived: queue.SimpleQueue[Joy], handle: Handle) -> None:
        self._node, self._topic, self._arrived, self._handle = node, topic, arrived, handle
        self._buttons: list[int] = []
        self._require_publisher()
        while not arrived.empty():
            arrived.get_nowait()  # of an earlier driver: nobody may take it for a new hand on the device
        handle.found()

    def serve(self, timeout_s: float) -> None:
        """Take in the next message. Raises OSError when nobody publishes any more."""
        try:
            message = self._arrived.get(timeout=timeout_s)
        except queue.Empty:
            self._require_publisher()
            return
        self._handle.move([float(value) for value in message.axes])
        buttons = [int(value) for value in message.buttons]
        before = self._buttons + [0] * (len(buttons) - len(self._buttons))
        for number, (old, new) in enumerate(zip(before, buttons, strict=False)):
            if bool(old) != bool(new):
                self._handle.press(number, bool(new))
        self._buttons = buttons

    def close(self) -> None:
        """Nothing to let go of: the subscription stays."""

    def _require_publisher(self) -> None:
        if self._node.count_publishers(self._topic) == 0:
            raise ConnectionError(f"expected a publisher of {self._topic}, found none; start the device's driver")
