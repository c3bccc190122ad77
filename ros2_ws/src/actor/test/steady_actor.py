"""Stands in for the actor in tests, as a process that can be killed: targets at 10 Hz that lead the arm along x."""

import sys
import threading

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from actor_ros import conversions, qos
from actor_ros.spin import run
from steadyhand.runtime.clock import MonotonicClock

STEP_M = 0.02
HEIGHT_M = 0.3
PERIOD_NS = 100_000_000


class SteadyActor(Node):
    """Always asks for `STEP_M` beyond the measured pose, back and forth between two bounds."""

    def __init__(self) -> None:
        super().__init__("steady_actor")
        self._pose = None
        self._direction = 1.0
        self._publisher = self.create_publisher(PoseStamped, "actor/command", qos.profile("command"))
        self.create_subscription(PoseStamped, "current_pose", self._on_pose, qos.profile("sensor"))

    def _on_pose(self, message) -> None:
        self._pose = conversions.pose_to_array(message.pose)

    def work(self, stop: threading.Event) -> None:
        clock = MonotonicClock()
        due = clock.now_ns()
        while not stop.is_set():
            due = max(due + PERIOD_NS, clock.now_ns())
            clock.sleep_until(due)
            pose = self._pose
            if pose is not None:
                if pose[0] > 0.6 or pose[0] < 0.4:
                    self._direction = 1.0 if pose[0] < 0.4 else -1.0
                # The mock's home is above the workspace.
                down = np.clip(HEIGHT_M - pose[2], -STEP_M, STEP_M)
                target = pose + np.array([self._direction * STEP_M, 0, down, 0, 0, 0, 0])
                target[2] = min(target[2], 0.5)
                stamp = self.get_clock().now().to_msg()
                self._publisher.publish(conversions.pose_from_array(target, "base", stamp))

    def close(self) -> None:
        pass


if __name__ == "__main__":
    sys.exit(run(SteadyActor))
