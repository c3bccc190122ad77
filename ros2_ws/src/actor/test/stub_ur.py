"""The UR's driver, beside whichever controller moves the arm.

From UniversalRobots/Universal_Robots_ROS2_Driver, jazzy at a16a268, its Description at 2221ec0 and Client_Library:

- `tcp_pose_broadcaster` publishes `tcp_pose_broadcaster/pose` in the frame `base` (`ur_controllers.yaml:204-209`),
  which is `base_link` turned by pi about z (`ur_macro.xacro:362-373`). REP-103 is `base_link`: the physical frame.
- `force_torque_sensor_broadcaster/wrench` comes in `tool0_controller` (`ur_controllers.yaml:75-86`), with the weight
  of the tool until `io_and_status_controller/zero_ftsensor` (`gpio_controller.cpp:290-292, 679-710`).
- `io_and_status_controller/robot_program_running` is a latched Bool, published on a change
  (`gpio_controller.cpp:265-266, 368`). When it falls, `controller_stopper` deactivates all controllers but the
  broadcasters, and activates the same ones when it rises (`controller_stopper.cpp:108-180`,
  `ur_control.launch.py:151-159`).
- `io_and_status_controller/resend_robot_program` succeeds in headless mode only (`ur_driver.cpp:705-716`,
  `gpio_controller.cpp:575-584`: the answer has no message); with the External Control URCap it is
  `dashboard_client/play` (`dashboard_client_ros.cpp:176`). The dashboard refuses to unlock while the popup is open.
- `scaled_joint_trajectory_controller` is active after the launch, `forward_position_controller` is not
  (`ur_control.launch.py:205-228`).
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool
from std_srvs.srv import Trigger
from stub_arm import Stub, joint_message, wrench_message
from stub_controller_manager import Controller, ControllerManager

from actor_ros import conversions
from steadyhand.robot_envs.frames import pose_compose

UR_JOINTS = [
    "shoulder_lift_joint", "shoulder_pan_joint", "elbow_joint", "wrist_1_joint", "wrist_2_joint", "wrist_3_joint",
]  # fmt: skip
BASE_FROM_BASE_LINK = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0])  # pi about z is its own inverse
TOOL_WEIGHT = np.array([0.0, 0.0, 12.0, 0.0, 0.0, 0.0])  # N, with the tool pointing down
BROADCASTERS = (
    "io_and_status_controller", "force_torque_sensor_broadcaster", "joint_state_broadcaster", "tcp_pose_broadcaster",
)  # fmt: skip


class UrDriver(Stub):
    """The driver without a controller.

    Args:
        controller: Name of the node that moves the arm.
        headless: The launch argument headless_mode.
    """

    def __init__(self, controller: str, headless: bool) -> None:
        super().__init__(controller, "ur_driver")
        node = self.nodes["ur_driver"]
        positions = [f"{joint}/position" for joint in UR_JOINTS]
        self.manager = ControllerManager(
            node,
            {
                **{name: Controller(True) for name in BROADCASTERS},
                "scaled_joint_trajectory_controller": Controller(True, positions),
                "forward_position_controller": Controller(False, positions),
            },
        )
        self.consistent: tuple[str, ...] = BROADCASTERS
        self.headless = headless
        self.pose_frame = "base"
        self.runs = True
        self.steps_taken: list[str] = []
        self._stopped: list[str] = []
        self._is_locked = self._has_popup = False
        self._bias = np.zeros(6)
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._pose = node.create_publisher(PoseStamped, "tcp_pose_broadcaster/pose", 1)
        self._wrench = node.create_publisher(WrenchStamped, "force_torque_sensor_broadcaster/wrench", 1)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self._running = node.create_publisher(Bool, "io_and_status_controller/robot_program_running", latched)
        self._running.publish(Bool(data=True))
        steps = {
            "dashboard_client/close_safety_popup": self._close_popup,
            "dashboard_client/unlock_protective_stop": self._unlock,
            "dashboard_client/play": self._play,
            "io_and_status_controller/resend_robot_program": self._resend,
            "io_and_status_controller/zero_ftsensor": self._zero,
        }
        for name, step in steps.items():
            node.create_service(Trigger, name, lambda _, answer, name=name, step=step: self._answer(name, step, answer))

    @property
    def measured_wrench(self) -> np.ndarray:
        """Of the sensor, in the tool frame; shape (6,)."""
        return self.arm.push + TOOL_WEIGHT - self._bias

    def fail(self) -> None:
        """A protective stop."""
        self._is_locked = self._has_popup = True
        self._tell(False)

    def publish_driver(self) -> None:
        """What the broadcasters publish in a period."""
        stamp = self.now().to_msg()
        self._pose.publish(
            conversions.pose_from_array(pose_compose(BASE_FROM_BASE_LINK, self.arm.pose), self.pose_frame, stamp)
        )
        self._wrench.publish(wrench_message(self.measured_wrench, "tool0_controller", stamp))
        self._joints.publish(joint_message(UR_JOINTS, stamp))

    def _tell(self, runs: bool) -> None:
        changed, self.runs = runs != self.runs, runs
        if not changed:
            return
        self._running.publish(Bool(data=runs))
        if not runs:
            controllers = self.manager.controllers
            self._stopped = [n for n, c in controllers.items() if c.is_active and n not in self.consistent]
            self.manager.switch([], self._stopped)
        else:
            self.manager.switch(self._stopped, [])

    def _answer(self, name: str, step, answer: Trigger.Response) -> Trigger.Response:
        self.steps_taken.append(name)
        answer.success, answer.message = step()
        return answer

    def _close_popup(self) -> tuple[bool, str]:
        self._has_popup = False
        return True, "closing safety popup"

    def _unlock(self) -> tuple[bool, str]:
        if self._has_popup:
            return False, "Cannot unlock protective stop"
        self._is_locked = False
        return True, "Protective stop releasing"

    def _play(self) -> tuple[bool, str]:
        if self._is_locked:
            return False, "Failed to execute: play"
        self._tell(True)
        return True, "Starting program"

    def _resend(self) -> tuple[bool, str]:
        if self._is_locked or not self.headless:
            return False, ""
        self._tell(True)
        return True, ""

    def _zero(self) -> tuple[bool, str]:
        self._bias = self.arm.push + TOOL_WEIGHT
        return True, ""
