"""A leader arm's ROS driver in the test's own process, which publishes what GELLO's ROS 2 package does."""

from __future__ import annotations

import threading

from ros_kit import Probe, wait_until
from sensor_msgs.msg import JointState
from std_msgs.msg import Float32

from actor_ros.device_node import device_node
from tests.leader_kit import Arm

PERIOD_S = 0.01
BUTTONS = ("button_0", "button_1")


class LeaderDriver:
    """The driver, from its construction to `close`. It publishes at 100 Hz.

    Args:
        arm: The leader, moved meanwhile.
        config: The source's settings.
        other: Joints of another driver on the same topic, published as often.
    """

    def __init__(self, arm: Arm, config, other: tuple[str, ...] = ()) -> None:
        self.arm, self.squeezed, self.down = arm, 0.0, dict.fromkeys(BUTTONS, 0.0)
        self.dropped: set[str] = set()  # joints that are left out
        self.is_silent = False
        self._config, self._other = config, other
        self._probe = Probe("leader_driver")
        node = self._probe.node
        self._joints = node.create_publisher(JointState, config.topic, 10)
        self._trigger = node.create_publisher(Float32, config.trigger.topic, 10)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._seen() == (1, 1), "the leader's driver")

    def close(self) -> None:
        self._ending.set()
        self._thread.join(5)
        self._probe.close()
        wait_until(lambda: self._seen() == (0, 0), "the end of the leader's driver")

    def _seen(self) -> tuple[int, int]:
        """Numbers of publishers that the devices of this process see."""
        node = device_node().node
        return node.count_publishers(self._config.topic), node.count_publishers(self._config.trigger.topic)

    def _run(self) -> None:
        while not self._ending.wait(PERIOD_S):
            self.arm.move(PERIOD_S)
            if self.is_silent:
                continue
            if self._other:
                self._joints.publish(JointState(name=list(self._other), position=[0.0] * len(self._other)))
            at = {**dict(zip(self._config.joints, self._published(), strict=True)), **self.down}
            at = {name: float(value) for name, value in reversed(at.items()) if name not in self.dropped}
            self._joints.publish(JointState(name=list(at), position=list(at.values())))
            self._trigger.publish(Float32(data=1.0 - self.squeezed))

    def _published(self):
        pairs = zip(self._config.signs, self._config.offsets_rad, self.arm.joints, strict=True)
        return [sign * joint + offset for sign, offset, joint in pairs]
