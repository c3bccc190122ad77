"""Controllers that people use, as far as they can be seen from outside: names, frames, conventions, habits.

Written down from their documentation and not from our profiles, which are tested against it. A kinematic arm at 100 Hz.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from actor_ros import conversions
from robot_envs.frames import quat_from_rotvec, quat_multiply

UR_JOINTS = [
    "shoulder_lift_joint", "shoulder_pan_joint", "elbow_joint", "wrist_1_joint", "wrist_2_joint", "wrist_3_joint",
]  # fmt: skip
FR3_JOINTS = [f"fr3_joint{number}" for number in (3, 1, 2, 4, 5, 6, 7)]
STIFFNESS = [f"stiffness.{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]


@dataclass(frozen=True)
class Habits:
    """One controller with its robot.

    Attributes:
        node: Its name; gains are its parameters.
        command: The topic it follows: a PoseStamped, or with `timeout_s` a TwistStamped.
        base: The only frame it accepts.
        pose, twist, wrench: Topics it publishes.
        wrench_sign: -1 = it reports what the tool does to the environment.
        joints: In the order in which its driver publishes them.
        running: A latched Bool topic, true while the robot's program runs.
        ignores_crowds: It follows nobody when two publish.
        timeout_s: It stops so long after the last command.
        gains: Its parameters.
    """

    node: str
    command: str
    base: str
    pose: str
    twist: str | None
    wrench: str
    wrench_sign: int
    joints: list[str]
    running: str | None = None
    ignores_crowds: bool = False
    timeout_s: float | None = None
    gains: list[str] = field(default_factory=list)


CRISP = Habits(
    node="cartesian_impedance_controller",
    command="target_pose",
    base="base",
    pose="current_pose",
    twist="current_twist",
    wrench="franka_robot_state_broadcaster/external_wrench_in_stiffness_frame",
    wrench_sign=-1,
    joints=FR3_JOINTS,
    running="stub/robot_ok",  # franka_msgs/FrankaRobotState in reality, which has no wheel
    ignores_crowds=True,
    gains=[f"task.k_{kind}_{axis}" for kind in ("pos", "rot") for axis in "xyz"],
)
FZI = Habits(
    node="cartesian_compliance_controller",
    command="cartesian_compliance_controller/target_frame",
    base="base_link",
    pose="cartesian_compliance_controller/current_pose",
    twist="cartesian_compliance_controller/current_twist",
    wrench="force_torque_sensor_broadcaster/wrench",
    wrench_sign=1,
    joints=[f"joint{number}" for number in (2, 1, 3, 4, 5, 6)],
    gains=STIFFNESS,
)
UR_FZI = Habits(
    node="cartesian_compliance_controller",
    command="cartesian_compliance_controller/target_frame",
    base="base_link",
    pose="cartesian_compliance_controller/current_pose",
    twist="cartesian_compliance_controller/current_twist",
    wrench="force_torque_sensor_broadcaster/wrench",
    wrench_sign=1,
    joints=UR_JOINTS,
    running="io_and_status_controller/robot_program_running",
    gains=STIFFNESS,
)
UR_SERVO = Habits(
    node="servo_node",
    command="servo_node/delta_twist_cmds",
    base="base_link",
    pose="tcp_pose_broadcaster/pose",
    twist=None,
    wrench="force_torque_sensor_broadcaster/wrench",
    wrench_sign=1,
    joints=UR_JOINTS,
    running="io_and_status_controller/robot_program_running",
    timeout_s=0.1,
)


class StubController:
    """The controller, spun by a thread of its own in a context of its own."""

    PERIOD_S = 0.01
    CLIP_M = 0.01
    START = np.array([0.5, 0.0, 0.3, 1.0, 0.0, 0.0, 0.0])
    PUSH_N = np.array([0.0, 0.0, -10.0])  # the environment on the tool, in the tool frame

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.ignored: list[str] = []
        self.timeouts = 0
        self.steps_taken: list[str] = []
        self.limit_gain = np.inf
        self._position = self.START.copy()
        self._command: np.ndarray | None = None
        self._commanded_at = 0.0
        self._runs = True
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self._node = node = Node(habits.node, context=self._context)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._pose = node.create_publisher(PoseStamped, habits.pose, 1)
        self._twist = node.create_publisher(TwistStamped, habits.twist, 1) if habits.twist else None
        self._wrench = node.create_publisher(WrenchStamped, habits.wrench, 1)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self._running = node.create_publisher(Bool, habits.running, latched) if habits.running else None
        command_type = TwistStamped if habits.timeout_s else PoseStamped
        node.create_subscription(command_type, habits.command, self._on_command, 1)
        for gain in habits.gains:
            node.declare_parameter(gain, 100.0)
        node.add_on_set_parameters_callback(self._on_gains)
        steps = ("dashboard_client/unlock_protective_stop", "io_and_status_controller/resend_robot_program")
        for step in steps:
            node.create_service(Trigger, step, lambda _, response, step=step: self._on_step(step, response))
        node.create_timer(self.PERIOD_S, self._tick)
        self._tell()
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    @property
    def position(self) -> np.ndarray:
        return self._position.copy()

    def fail(self) -> None:
        """A protective stop."""
        self._runs = False
        self._tell()

    def recover_by_hand(self) -> None:
        self._runs = True
        self._tell()

    def close(self) -> None:
        self._executor.shutdown(1.0)
        self._thread.join(5.0)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def _on_command(self, message) -> None:
        habits = self.habits
        if not self._runs:
            self.ignored.append("not running")
        elif message.header.frame_id != habits.base:
            self.ignored.append("frame")
        elif habits.ignores_crowds and self._node.count_publishers(habits.command) > 1:
            self.ignored.append("crowd")
        else:
            is_twist = habits.timeout_s is not None
            as_array = conversions.twist_to_array(message) if is_twist else conversions.pose_to_array(message.pose)
            self._command, self._commanded_at = as_array, time.monotonic()

    def _tick(self) -> None:
        command, timeout_s = self._command, self.habits.timeout_s
        if command is not None and self._runs:
            if timeout_s is None:
                step = command[:3] - self._position[:3]
                self._position[:3] += 0.2 * np.clip(step, -self.CLIP_M, self.CLIP_M)
                self._position[3:] = command[3:]
            elif time.monotonic() - self._commanded_at > timeout_s:
                self._command, self.timeouts = None, self.timeouts + 1
            else:
                self._position[:3] += command[:3] * self.PERIOD_S
                turn = quat_from_rotvec(command[3:] * self.PERIOD_S)
                self._position[3:] = quat_multiply(turn, self._position[3:])
        stamp = self._node.get_clock().now().to_msg()
        self._pose.publish(conversions.pose_from_array(self._position, self.habits.base, stamp))
        if self._twist is not None:
            self._twist.publish(conversions.twist_from_array(np.zeros(6), self.habits.base, stamp))
        wrench = WrenchStamped()
        force = self.habits.wrench_sign * self.PUSH_N
        wrench.wrench.force.x, wrench.wrench.force.y, wrench.wrench.force.z = map(float, force)
        self._wrench.publish(wrench)
        positions = np.arange(len(self.habits.joints)) / 10
        names = [*self.habits.joints, "some_finger"]
        self._joints.publish(conversions.joints_from_arrays(names, np.append(positions, 9.0), None, stamp))

    def _on_gains(self, parameters) -> SetParametersResult:
        if any(parameter.value > self.limit_gain for parameter in parameters):
            return SetParametersResult(successful=False, reason="too stiff")
        return SetParametersResult(successful=True)

    def _on_step(self, step: str, response: Trigger.Response) -> Trigger.Response:
        self.steps_taken.append(step)
        if step.endswith("resend_robot_program"):
            response.success = self.steps_taken[:-1] != []
            response.message = "" if response.success else "protective stop"
            if response.success:
                self.recover_by_hand()
        else:
            response.success = True
        return response

    def _tell(self) -> None:
        if self._running is not None:
            self._running.publish(Bool(data=self._runs))
