"""The ground under the controllers' stubs: an arm whose true pose is known in one physical frame, and how stubs run.

The physical frame is the arm's mounting, with x forward (REP-103): `base_link` of a UR, `link_base` of an xArm,
`base` of an FR3. A stub publishes the pose in its driver's own frame; a test reads `Arm.pose`, and so sees the true
motion. Stubs run at 100 Hz, the controllers at 500 and 1000 Hz: two cores have to be enough.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import rclpy
from geometry_msgs.msg import WrenchStamped
from rclpy.action import ActionServer
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from actor_ros import conversions
from steadyhand.robot_envs.frames import quat_from_rotvec, quat_inverse, quat_multiply, rotvec_from_quat

PERIOD_S = 0.01
LONGEST_S = 0.5  # that is made up for
START = np.array([0.5, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0])


class Arm:
    """A kinematic arm.

    Attributes:
        pose: True pose of the tool in the physical frame; shape (7,), [m] and xyzw.
        velocity: True twist of the tool in the physical frame; shape (6,), [m/s] and [rad/s].
        push: Wrench of the environment on the tool, in the tool frame; shape (6,), [N] and [Nm].
        travelled_m: Way of the tool since the arm was made.
    """

    def __init__(self) -> None:
        self.pose = START.copy()
        self.velocity = np.zeros(6)
        self.push = np.zeros(6)
        self.travelled_m = 0.0

    def error(self, target: np.ndarray) -> np.ndarray:
        """The way to a pose in the physical frame; shape (6,), [m] and rotation vector [rad]."""
        turn = rotvec_from_quat(quat_multiply(target[3:], quat_inverse(self.pose[3:])))
        return np.concatenate([target[:3] - self.pose[:3], turn])

    def move(self, velocity: np.ndarray) -> None:
        """Move for one period; shape (6,)."""
        self.velocity = velocity
        self.travelled_m += float(np.linalg.norm(velocity[:3])) * PERIOD_S
        turned = quat_multiply(quat_from_rotvec(velocity[3:] * PERIOD_S), self.pose[3:])
        self.pose = np.concatenate([self.pose[:3] + velocity[:3] * PERIOD_S, turned / np.linalg.norm(turned)])


class Stub:
    """Nodes in a context of their own, spun by a thread of their own; `advance` runs once for every period.

    Args:
        names: Of the nodes; `nodes` has them by name.
    """

    def __init__(self, *names: str) -> None:
        self.arm = Arm()
        self.action_servers: list[ActionServer] = []
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.nodes = {name: Node(name, context=self._context) for name in names}
        self._executor = SingleThreadedExecutor(context=self._context)
        for node in self.nodes.values():
            self._executor.add_node(node)
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def start(self) -> None:
        """Run; called when all topics are there."""
        self._until_s = time.monotonic()
        next(iter(self.nodes.values())).create_timer(PERIOD_S, self._tick)
        self._thread.start()

    def advance(self) -> None:
        """Let one period pass."""
        raise NotImplementedError

    def publish(self) -> None:
        """Tell what the arm does."""
        raise NotImplementedError

    def _tick(self) -> None:
        """The arm follows the wall: on a crowded machine it would else be a slow one."""
        now_s = time.monotonic()
        self._until_s = max(self._until_s, now_s - LONGEST_S)
        while self._until_s < now_s:
            self._until_s += PERIOD_S
            self.arm.velocity = np.zeros(6)
            self.advance()
        self.publish()

    def close(self) -> None:
        self._executor.shutdown(1.0)
        self._thread.join(5.0)
        for server in self.action_servers:  # destroy_node leaves them
            server.destroy()
        for node in self.nodes.values():
            node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def now(self):
        return next(iter(self.nodes.values())).get_clock().now()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return


def wrench_message(wrench: np.ndarray, frame_id: str, stamp) -> WrenchStamped:
    message = WrenchStamped()
    message.header.frame_id, message.header.stamp = frame_id, stamp
    f, t = message.wrench.force, message.wrench.torque
    f.x, f.y, f.z, t.x, t.y, t.z = map(float, wrench)
    return message


def joint_message(names: list[str], stamp):
    """Joint states in the driver's order, with a finger that is no joint of the arm; the arm has no kinematics."""
    positions = np.append(np.arange(len(names)) / 10, 9.0)
    return conversions.joints_from_arrays([*names, "some_finger"], positions, None, stamp)
