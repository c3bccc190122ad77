"""The Cartesian impedance controller and the pose broadcaster of crisp_controllers, on an FR3 or on a UR.

From utiasDSL/crisp_controllers, main at 8093548 (`src/`), and frankarobotics/franka_ros2, jazzy at 29cb85a:

- The target is `target_pose`, depth 1, reliable (`cartesian_controller.cpp:372`). Its frame_id is never looked at
  (`:495-502`). A message is dropped while more than one node publishes the topic (`:339, 641-658`).
- Every message sets `new_target_pose_`, while the controller is inactive too (`:336-346`); `on_activate` takes the
  present pose as target and leaves the flag (`:447-487`), so the first `update` follows what came before (`:83`).
- The error is clipped to 0.1 m and 0.5 rad an axis (`cartesian_impedance_controller.yaml:93-117`). No command ever
  times out. Gains are parameters `task.k_*`.
- `pose_broadcaster` publishes `current_pose`, labelled with its parameter `base_frame` (`pose_broadcaster.cpp:70,
  157`). There is no twist; with the TwistBroadcaster of 1.1 (zordicom/crisp_controllers,
  `twist_broadcaster.cpp:67-88`) it is along the axes of the tool, in the frame `end_effector_frame`.
- crisp_controllers_demos spawns the controller --inactive beside an active joint_trajectory_controller on the same
  effort interfaces, and no franka_robot_state_broadcaster (`launch/franka.launch.py:208-256`).
- franka_robot_state_broadcaster: wrench best effort, in the frame of the stiffness, `fr3_hand_tcp` with the hand
  (`franka_robot_state.cpp:79-82, 161`); robot_state at the update rate, `robot_mode` 4 in a reflex.
- After a reflex `read` fails and the hardware is given up (`franka_hardware_interface.cpp:251-257`, and
  `stub_controller_manager.py`); the action `action_server/error_recovery` frees the arm alone
  (`franka_action_server.cpp:33-69`).
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.action import ActionServer
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from stub_arm import Stub, joint_message, wrench_message
from stub_controller_manager import Controller, ControllerManager
from stub_ur import UR_JOINTS, UrDriver

from actor_ros import conversions
from steadyhand.robot_envs.frames import quat_inverse, quat_rotate

CONTROLLER = "cartesian_impedance_controller"
GAINS = [f"task.k_{kind}_{axis}" for kind in ("pos", "rot") for axis in "xyz"]
FR3_JOINTS = [f"fr3_joint{number}" for number in (3, 1, 2, 4, 5, 6, 7)]
CLIP = np.array([0.1, 0.1, 0.1, 0.5, 0.5, 0.5])  # m, rad
RATE_HZ = 8.0  # of the way to the target
IDLE, GUIDING, REFLEX = 1, 3, 4


class Impedance:
    """The controller and its pose broadcaster, on an arm."""

    def __init__(self, stub: Stub, base_frame: str, tool_frame: str, with_twist: bool) -> None:
        self._stub, self._node = stub, stub.nodes[CONTROLLER]
        self.base_frame, self.tool_frame = base_frame, tool_frame
        self.ignored: list[str] = []
        self._buffer: np.ndarray | None = None
        self._is_new = False
        self._target = stub.arm.pose.copy()
        for gain in GAINS:
            self._node.declare_parameter(gain, 500.0)
        self._node.create_subscription(PoseStamped, "target_pose", self._on_target, 1)
        self._pose = self._node.create_publisher(PoseStamped, "current_pose", 1)
        self._twist = self._node.create_publisher(TwistStamped, "current_twist", 1) if with_twist else None

    def late_target(self) -> None:
        """A target of where the arm is comes while the controller is inactive."""
        self._buffer, self._is_new = self._stub.arm.pose.copy(), True

    def on_activate(self) -> None:
        self._target = self._stub.arm.pose.copy()

    def update(self) -> None:
        """While it is active."""
        if self._is_new:
            self._is_new, self._target = False, self._buffer
        error = np.clip(self._stub.arm.error(self._target), -CLIP, CLIP)
        self._stub.arm.move(RATE_HZ * error)

    def publish(self, stamp) -> None:
        """While the broadcasters are active."""
        pose = self._stub.arm.pose
        self._pose.publish(conversions.pose_from_array(pose, self.base_frame, stamp))
        if self._twist is not None:
            back = np.broadcast_to(quat_inverse(pose[3:]), (2, 4))
            local = quat_rotate(back, self._stub.arm.velocity.reshape(2, 3)).ravel()
            self._twist.publish(conversions.twist_from_array(local, self.tool_frame, stamp))

    def _on_target(self, message: PoseStamped) -> None:
        if self._node.count_publishers("target_pose") > 1:
            self.ignored.append("crowd")
            return
        self._buffer, self._is_new = conversions.pose_to_array(message.pose), True


class CrispFr3(Stub):
    """An FR3 as crisp_controllers_demos launches it, with franka_robot_state_broadcaster spawned beside it.

    Args:
        is_active: The controller was switched to by hand; crisp's launch file spawns it --inactive.
        with_twist: A TwistBroadcaster runs.
    """

    def __init__(self, is_active: bool = False, with_twist: bool = False) -> None:
        from franka_msgs.action import ErrorRecovery
        from franka_msgs.msg import FrankaRobotState

        super().__init__(CONTROLLER, "controller_manager", "action_server")
        node = self.nodes["controller_manager"]
        self.impedance = Impedance(self, "base", "fr3_hand_tcp", with_twist)
        efforts = [f"{joint}/effort" for joint in FR3_JOINTS]
        self.manager = ControllerManager(
            node,
            {
                "joint_trajectory_controller": Controller(not is_active, efforts),
                CONTROLLER: Controller(is_active, efforts, self.impedance.on_activate),
                "joint_state_broadcaster": Controller(True),
                "pose_broadcaster": Controller(True),
                "franka_robot_state_broadcaster": Controller(True),
            },
        )
        best_effort = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        wrench = "franka_robot_state_broadcaster/external_wrench_in_stiffness_frame"
        self._wrench = node.create_publisher(WrenchStamped, wrench, best_effort)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self._state = node.create_publisher(FrankaRobotState, "franka_robot_state_broadcaster/robot_state", 1)
        self._state_message = FrankaRobotState()
        self.mode = IDLE
        node, name = self.nodes["action_server"], "action_server/error_recovery"
        self.action_servers.append(ActionServer(node, ErrorRecovery, name, self._recover))
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.impedance.ignored

    def fail(self) -> None:
        """A reflex."""
        self.mode = REFLEX
        self._publish_state()
        self.manager.hardware_fails()

    def restart_driver(self) -> None:
        """Start the launch file again."""
        self.manager.is_finalized = False
        for name in ("joint_state_broadcaster", "pose_broadcaster", "franka_robot_state_broadcaster"):
            self.manager.controllers[name].is_active = True
        self.manager.controllers["joint_trajectory_controller"].is_active = True

    def advance(self) -> None:
        if self.manager.is_active(CONTROLLER) and self.mode == IDLE:
            self.impedance.update()

    def publish(self) -> None:
        stamp = self.now().to_msg()
        if self.manager.is_active("joint_state_broadcaster"):
            self._joints.publish(joint_message(FR3_JOINTS, stamp))
        if self.manager.is_active("pose_broadcaster"):
            self.impedance.publish(stamp)
        if self.manager.is_active("franka_robot_state_broadcaster"):
            # What the tool does to the environment.
            self._wrench.publish(wrench_message(-self.arm.push, "fr3_hand_tcp", stamp))
            self._publish_state()

    def _publish_state(self) -> None:
        self._state_message.robot_mode = self.mode
        self._state.publish(self._state_message)

    def _recover(self, goal):
        from franka_msgs.action import ErrorRecovery

        self.mode = IDLE
        goal.succeed()
        return ErrorRecovery.Result()


class CrispUr(UrDriver):
    """A UR under direct torque control; crisp's controller was spawned --inactive, its pose broadcaster active."""

    def __init__(self, is_active: bool = False, headless: bool = True) -> None:
        super().__init__(CONTROLLER, headless=headless)
        self.impedance = Impedance(self, "base_link", "tool0", False)
        efforts = [f"{joint}/effort" for joint in UR_JOINTS]
        self.manager.controllers[CONTROLLER] = Controller(is_active, efforts, self.impedance.on_activate)
        self.manager.controllers["pose_broadcaster"] = Controller(True)
        self.consistent += ("pose_broadcaster",)
        if is_active:
            self.manager.controllers["scaled_joint_trajectory_controller"].is_active = False
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.impedance.ignored

    def advance(self) -> None:
        if self.manager.is_active(CONTROLLER) and self.runs:
            self.impedance.update()

    def publish(self) -> None:
        self.publish_driver()
        if self.manager.is_active("pose_broadcaster"):
            self.impedance.publish(self.now().to_msg())
