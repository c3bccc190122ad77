"""Joint positions of a leader whose driver publishes sensor_msgs/JointState: a `JointSource` for `device=leader_ros`.

The defaults are GELLO's ROS 2 package (gello_software at fa0407b, ros2/src/franka_gello_state_publisher). Its node
publishes `gello/joint_states` with the joints fr3_joint1 to fr3_joint7 [rad] at 25 Hz (gello_publisher.py, lines 20, 30
and 57 to 72). The gripper is a Float32 of its own, `gripper/gripper_client/target_gripper_width_percent` (lines 31 and
32): 0 at the squeezed end and 1 at the released one (gello_hardware.py, lines 249 to 257; scripts/get_offsets.py, lines
13 and 90). Offsets and signs are applied there already.

The node's publisher repeats the last servo readings if its bus falls silent. That looks like a leader at rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from steadyhand.robot_envs.devices.device import DeviceError, check_times
from steadyhand.robot_envs.devices.joint_source import JointReading, JointSource
from steadyhand.runtime.clock import Clock, MonotonicClock
from steadyhand.runtime.ranges import expect

if TYPE_CHECKING:
    from rclpy.node import Node

    from actor_ros.latest import Latest

__all__ = ["HeardLever", "JointStatesConfig", "JointStatesSource"]

LOOK_NS = 5_000_000  # between two looks for the first reading
PRESSED = 0.5  # share at which a button counts as down


@dataclass(frozen=True)
class HeardLever:
    """A trigger or button of the leader, as its driver publishes it.

    Attributes:
        topic: Topic of a std_msgs/Float32; null = the lever is a joint.
        joint: Joint of the leader's own JointState; null = the lever has a topic.
        released: Its number at rest.
        pressed: Its number when it is pressed.
    """

    topic: str | None
    joint: str | None
    released: float
    pressed: float

    def __post_init__(self) -> None:
        expect((self.topic is None) != (self.joint is None), "topic", "either a topic or a joint", self.topic)
        expect(self.released != self.pressed, "pressed", "another number than released", self.pressed)

    def share(self, value: float) -> float:
        """Return the share to which it is pressed: 0 released, 1 pressed."""
        return (value - self.released) / (self.pressed - self.released)


@dataclass(frozen=True)
class JointStatesConfig:
    """Topics of the leader, and the meaning of its joints.

    Attributes:
        topic: Topic of the JointState, relative to the namespace of the process. Other drivers may share it.
        joints: Names of the joints, from the base to the tool.
        signs: 1, or -1 for a published joint that turns against the follower's. One per joint.
        offsets_rad: Published position of each joint where the follower's joint is at 0.
        trigger: Trigger of the gripper; null = none.
        buttons: Levers that are pressed; their places in this list are the numbers of the buttons.
        silence_s: Time without a message of any of the topics after which the leader is lost.
        wait_s: Time for the discovery of the driver after the process has joined the network.
    """

    topic: str
    joints: tuple[str, ...]
    signs: tuple[int, ...]
    offsets_rad: tuple[float, ...]
    trigger: HeardLever | None
    buttons: tuple[HeardLever, ...]
    silence_s: float
    wait_s: float

    def __post_init__(self) -> None:
        n = len(self.joints)
        expect(n > 0, "joints", "a name for each joint", "none")
        for name in ("signs", "offsets_rad"):
            found = len(getattr(self, name))
            expect(found == n, name, f"one entry for each of {n} joints", found)
        expect(set(self.signs) <= {1, -1}, "signs", "1 or -1", self.signs)
        expect(len(set(self.joints)) == n, "joints", "each joint once", self.joints)
        check_times(self, "silence_s", "wait_s")

    @property
    def levers(self) -> tuple[HeardLever, ...]:
        """The trigger, if there is one, and the buttons."""
        return (*([] if self.trigger is None else [self.trigger]), *self.buttons)


class JointStatesSource(JointSource):
    """Topics of a leader, read on request: no executor works for them.

    Args:
        config: Topics and joints.
        clock: Monotonic clock.
    """

    settings_type = JointStatesConfig
    name = "joint_states"

    def __init__(self, config: JointStatesConfig, clock: Clock | None = None) -> None:
        self._config, self._clock = config, clock or MonotonicClock()
        self._node: Node | None = None
        self._topics: dict[str, Latest] = {}
        self._heard: dict[str, tuple[Any, int]] = {}  # newest message of each topic, and its time of arrival [ns]
        self._opened_ns = 0

    def open(self) -> JointReading:
        """Subscribe, and return the first reading. Raises as `JointSource.open`."""
        try:
            from sensor_msgs.msg import JointState
            from std_msgs.msg import Float32

            from actor_ros.device_node import device_node
            from actor_ros.latest import Latest
        except ImportError as error:
            raise DeviceError(
                f"leader: expected ROS 2 in this process, found none ({error}); source its workspace, see docs/ros.md"
            ) from None
        config = self._config
        self._node, made_ns = device_node()
        joints = Latest(self._node, JointState, config.topic, self._clock, containing=config.joints[0])
        self._topics[config.topic] = joints
        for topic in sorted({lever.topic for lever in config.levers if lever.topic is not None}):
            self._topics[topic] = Latest(self._node, Float32, topic, self._clock)
        self._opened_ns = self._clock.now_ns()
        until_ns = max(made_ns + round(config.wait_s * 1e9), self._opened_ns + round(config.silence_s * 1e9))
        while self._clock.now_ns() < until_ns:
            self._look()
            if len(self._heard) == len(self._topics):
                return self._reading()
            self._clock.sleep_until(self._clock.now_ns() + LOOK_NS)
        raise OSError(self._missing(next(topic for topic in self._topics if topic not in self._heard)))

    def read(self) -> JointReading | None:
        """Return a new reading; None when no message has come since. Raises OSError when the leader is lost."""
        is_new = self._look()
        now_ns, longest_ns = self._clock.now_ns(), self._config.silence_s * 1e9
        for topic, (_, arrived_ns) in self._heard.items():
            if now_ns - arrived_ns > longest_ns:
                raise OSError(self._missing(topic))
        return self._reading() if is_new else None

    def close(self) -> None:
        """End the subscriptions. Further calls have no effect."""
        for latest in self._topics.values():
            latest.destroy()
        self._topics, self._heard = {}, {}

    def _look(self) -> bool:
        """Take in the newest messages; return whether one of the joints came."""
        is_new = False
        for topic, latest in self._topics.items():
            if (taken := latest.take()) is None:
                continue
            if topic == self._config.topic:
                if self._config.joints[0] not in taken[0].name:
                    continue  # of another driver on the topic
                is_new = True
            self._heard[topic] = taken
        return is_new

    def _reading(self) -> JointReading:
        """Return what the newest messages say. Raises OSError for a joint without a finite position."""
        config = self._config
        message = self._heard[config.topic][0]
        at = dict(zip(message.name, message.position, strict=False))  # a driver may publish names without positions
        published = np.array([_at(at, name, config) for name in config.joints])
        joints = np.array(config.signs) * (published - config.offsets_rad)
        shares = [self._share(lever, at) for lever in config.levers]
        squeezed = None if config.trigger is None else shares.pop(0)
        return JointReading(joints, squeezed, frozenset(n for n, share in enumerate(shares) if share > PRESSED))

    def _share(self, lever: HeardLever, at: dict[str, float]) -> float:
        if lever.joint is not None:
            return lever.share(_at(at, lever.joint, self._config))
        assert lever.topic is not None
        value = float(self._heard[lever.topic][0].data)
        if not math.isfinite(value):
            raise OSError(f"{lever.topic}: expected a finite number, found {value}; check the leader's driver")
        return lever.share(value)

    def _missing(self, topic: str) -> str:
        """Return what is wrong with a topic that is not heard, as one line."""
        assert self._node is not None
        if self._node.count_publishers(topic) == 0:
            return (
                f"expected a publisher of {self._node.resolve_topic_name(topic)}, found none; start the leader's "
                "driver, and check device.source.topic, its namespace and ROS_DOMAIN_ID"
            )
        wanted = f"joint {self._config.joints[0]}" if topic == self._config.topic else "a number"
        return (
            f"{topic}: expected {wanted} in every {self._config.silence_s:g} s, found none; check the leader's driver "
            "and device.source"
        )


def _at(at: dict[str, float], joint: str, config: JointStatesConfig) -> float:
    if joint not in at:
        found = ", ".join(_named(at)) or "none"
        raise OSError(
            f"{config.topic}: expected a position of {joint}, found {found}; correct device.source.joints, or the "
            "leader's driver"
        )
    value = float(at[joint])
    if not math.isfinite(value):
        raise OSError(
            f"{config.topic}: expected a finite position of {joint}, found {value}; check the leader's driver"
        )
    return value


def _named(at: dict[str, float]) -> Iterator[str]:
    """Yield the first names of a message, for a line of bounded length."""
    for number, name in enumerate(at):
        if number == 12:
            yield "..."
            return
        yield name
