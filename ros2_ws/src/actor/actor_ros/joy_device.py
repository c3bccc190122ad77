"""A `Device` for a SpaceMouse or gamepad whose driver publishes sensor_msgs/Joy."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from functools import partial
from typing import Literal

from rclpy.node import Node
from sensor_msgs.msg import Joy

from actor_ros import qos
from steadyhand.robot_envs.devices.axes_device import AxesDevice
from steadyhand.robot_envs.devices.device import check_times
from steadyhand.robot_envs.devices.handle import Handle
from steadyhand.robot_envs.devices.mapping import MappingConfig
from steadyhand.robot_envs.devices.reader import Reader
from steadyhand.runtime.clock import Clock

__all__ = ["JoyConfig", "JoyLink", "make_joy"]


@dataclass(frozen=True)
class JoyConfig:
    """Settings of a Joy device: its topic, its timing, and its mapping.

    Attributes:
        kind: The kind of device: joy.
        pace: Pace of a simulated robot that this device drives.
        max_age_s: Time without a message after which a deflected device counts as silent.
        topic: The topic, relative to the robot's namespace.
        retry_s: Time between two searches for a lost publisher.
        silence_s: Time without a message after which a driver that also publishes at rest has lost its device; null for
            a driver that publishes only on a change.
        neutral_s: Time at rest after which the device counts as released.
        mapping: Meaning of the axes and buttons.
    """

    kind: Literal["joy"]
    pace: Literal["realtime", "lockstep"]
    max_age_s: float
    topic: str
    retry_s: float
    silence_s: float | None
    neutral_s: float
    mapping: MappingConfig

    def __post_init__(self) -> None:
        check_times(self, "max_age_s", "retry_s", "neutral_s", *([] if self.silence_s is None else ["silence_s"]))


def make_joy(node: Node, config: JoyConfig, clock: Clock) -> AxesDevice:
    """Return the device, not yet connected. It refuses to connect while its topic has no publisher."""
    handle = Handle(config.mapping, clock)
    arrived: queue.SimpleQueue[Joy] = queue.SimpleQueue()
    node.create_subscription(Joy, config.topic, arrived.put, qos.profile("sensor"))
    open_link = partial(JoyLink, node, config.topic, arrived, handle, config.silence_s, clock)
    reader = Reader(config.topic, open_link, handle.lose, config.retry_s)
    absent = "expected a driver, found none; start it"
    return AxesDevice(config.topic, absent, reader, handle, config.mapping, clock, config.neutral_s)


class JoyLink:
    """The connection to the topic while its driver publishes. Only the reader's thread writes the handle.

    A message must carry all mapped axes; otherwise the device counts as lost until a complete message. Missing buttons
    count as up, because spacenav up to 3.1 sends a button only in the message of its press (joystick_drivers,
    spacenav/src/spacenav.cpp at 3.1.0). A button that is down in the first message is no press.

    A driver outlives its device: joy_node stays on the topic and publishes nothing while there is no device
    (joy/src/joy.cpp, `joystick_ != nullptr`).

    Args:
        node: The node that finds publishers.
        topic: The topic of the device.
        arrived: The messages from the callbacks.
        handle: Receives axes and buttons.
        silence_s: Time without a message after which a driver has lost its device; None = publishes only on a change.
        clock: A monotonic clock.

    Raises:
        OSError: The topic has no publisher or, after a loss, no message.
    """

    def __init__(
        self,
        node: Node,
        topic: str,
        arrived: queue.SimpleQueue[Joy],
        handle: Handle,
        silence_s: float | None,
        clock: Clock,
    ) -> None:
        self._node, self._topic, self._arrived, self._handle = node, topic, arrived, handle
        self._silence_s, self._clock = silence_s, clock
        self._down: frozenset[int] | None = None  # before the first message
        self._require_publisher()
        while not arrived.empty():
            arrived.get_nowait()  # a message of an earlier driver must not count as new input
        self._heard_ns = clock.now_ns()
        if handle.state.losses and silence_s is not None:
            try:
                self._take(arrived.get(timeout=silence_s))
            except queue.Empty:
                raise self._silent() from None
        else:
            handle.found()

    def serve(self, timeout_s: float) -> None:
        """Process the next message. Raises OSError if the publisher is gone or the driver is silent."""
        try:
            self._take(self._arrived.get(timeout=timeout_s))
        except queue.Empty:
            self._require_publisher()
            if self._silence_s is not None and self._clock.now_ns() - self._heard_ns > self._silence_s * 1e9:
                raise self._silent() from None

    def close(self) -> None:
        """Do nothing: the subscription stays."""

    def _take(self, message: Joy) -> None:
        self._heard_ns = self._clock.now_ns()
        if not self._handle.move([float(value) for value in message.axes]):
            self._down = None
            return
        down = frozenset(number for number, value in enumerate(message.buttons) if value)
        before = down if self._down is None else self._down
        for number in sorted(before - down):
            self._handle.press(number, False)
        for number in sorted(down - before):
            self._handle.press(number, True)
        self._down = down

    def _require_publisher(self) -> None:
        if self._node.count_publishers(self._topic) == 0:
            raise ConnectionError(f"expected a publisher of {self._topic}, found none; start the device's driver")

    def _silent(self) -> ConnectionError:
        return ConnectionError(
            f"expected messages of {self._topic} at rest too, found none for {self._silence_s} s; plug the device in, "
            "or set device.silence_s=null for a driver that speaks on a change only"
        )
