"""FZI's cartesian_compliance_controller, on a UR or on an arm with a sensor of its own.

From fzi-forschungszentrum-informatik/cartesian_controllers, ros2 at f53f798 (`src/` of each package):

- `<controller>/current_pose` and `current_twist` are published only with `solver.publish_state_feedback`, false by
  default and read in every cycle (`cartesian_controller_base.cpp:102, 341-344`), and only while the controller is
  active, for `writeJointControlCmds` is called by `on_activate` and `update` alone (`:317`,
  `cartesian_compliance_controller.cpp:154`). Both are in `robot_base_link` (`:480, 498`). The twist is the solver's,
  which steps 0.02 s a cycle (`cartesian_compliance_controller.cpp:144`): at 500 Hz a tenth of the arm's.
- A target in another frame than `robot_base_link`, with a NaN, or while the controller is inactive is dropped
  (`cartesian_motion_controller.cpp:176-199`). On activation the target is where the arm is (`:82-92`). None times
  out.
- The controller subscribes to `<controller>/ft_sensor_wrench` (`cartesian_force_controller.cpp:96-99`), the wrench of
  the environment on the tool, and adds it to the spring (`cartesian_compliance_controller.cpp:159-180`): a wrench
  that was not zeroed moves the arm, and without a remap there is none. Stiffness is a parameter, 500 N/m and 50
  Nm/rad by default.
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from sensor_msgs.msg import JointState
from stub_arm import PERIOD_S, Stub, joint_message, wrench_message
from stub_controller_manager import Controller, ControllerManager
from stub_ur import UR_JOINTS, UrDriver

from actor_ros import conversions
from steadyhand.robot_envs.frames import quat_rotate

CONTROLLER = "cartesian_compliance_controller"
SENSOR = "force_torque_sensor_broadcaster/wrench"
STIFFNESS = [f"stiffness.{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
GAIN = np.array([0.012, 0.012, 0.012, 0.2, 0.2, 0.2])  # m/s for a newton, rad/s for a newton metre
JOINTS = [f"joint{number}" for number in (2, 1, 3, 4, 5, 6)]
FEEDBACK = "solver.publish_state_feedback"


class Compliance:
    """The controller on an arm.

    Args:
        stub: Has the node.
        feedback: The value of `solver.publish_state_feedback` in the controller's parameter file.
        remapped: The sensor's topic was remapped to the controller's.
    """

    def __init__(self, stub: Stub, feedback: bool, remapped: bool) -> None:
        self._stub, self._node = stub, stub.nodes[CONTROLLER]
        self.base_frame = "base_link"
        self.ignored: list[str] = []
        self.is_active = False
        self._target = stub.arm.pose.copy()
        self._wrench = np.zeros(6)
        self._node.declare_parameter(FEEDBACK, feedback)
        for name in STIFFNESS:
            self._node.declare_parameter(name, 500.0 if "trans" in name else 50.0)
        self._node.create_subscription(PoseStamped, f"{CONTROLLER}/target_frame", self._on_target, 3)
        wrench = SENSOR if remapped else f"{CONTROLLER}/ft_sensor_wrench"
        self._node.create_subscription(WrenchStamped, wrench, self._on_wrench, 10)
        self._pose = self._node.create_publisher(PoseStamped, f"{CONTROLLER}/current_pose", 3)
        self._twist = self._node.create_publisher(TwistStamped, f"{CONTROLLER}/current_twist", 3)

    def on_activate(self) -> None:
        self._target = self._stub.arm.pose.copy()

    def update(self) -> None:
        """While it is active."""
        self.is_active = True
        stiffness = np.array([self._node.get_parameter(name).value for name in STIFFNESS])
        tool = np.broadcast_to(self._stub.arm.pose[3:], (2, 4))
        force = quat_rotate(tool, self._wrench.reshape(2, 3)).ravel()
        self._stub.arm.move(GAIN * (stiffness * self._stub.arm.error(self._target) + force))

    def publish(self) -> None:
        """While it is active."""
        if self._node.get_parameter(FEEDBACK).value:
            stamp = self._stub.now().to_msg()
            self._pose.publish(conversions.pose_from_array(self._stub.arm.pose, self.base_frame, stamp))
            solver = self._stub.arm.velocity * 0.002 / 0.02
            self._twist.publish(conversions.twist_from_array(solver, self.base_frame, stamp))

    def _on_target(self, message: PoseStamped) -> None:
        if not self.is_active:
            self.ignored.append("inactive")
        elif message.header.frame_id != self.base_frame:
            self.ignored.append("frame")
        else:
            self._target = conversions.pose_to_array(message.pose)

    def _on_wrench(self, message: WrenchStamped) -> None:
        f, t = message.wrench.force, message.wrench.torque
        self._wrench = np.array([f.x, f.y, f.z, t.x, t.y, t.z])


class FziUr(UrDriver):
    """A UR under the controller, which was spawned in place of the scaled trajectory controller.

    Args:
        is_active: It was spawned without --inactive.
        feedback, remapped: As in `Compliance`.
        headless: The driver's.
    """

    def __init__(
        self, is_active: bool = True, feedback: bool = True, remapped: bool = True, headless: bool = True
    ) -> None:
        super().__init__(CONTROLLER, headless=headless)
        self.compliance = Compliance(self, feedback, remapped)
        positions = [f"{joint}/position" for joint in UR_JOINTS]
        self.manager.controllers[CONTROLLER] = Controller(is_active, positions, self.compliance.on_activate)
        if is_active:
            self.manager.controllers["scaled_joint_trajectory_controller"].is_active = False
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.compliance.ignored

    def advance(self) -> None:
        self.compliance.is_active = self.manager.is_active(CONTROLLER)
        if self.compliance.is_active:
            before = self.arm.pose.copy()
            self.compliance.update()
            if not self.runs:  # brakes
                self.arm.pose = before

    def publish(self) -> None:
        if self.compliance.is_active:
            self.compliance.publish()
        self.publish_driver()


class FziArm(Stub):
    """Any arm with the controller and a force sensor that was zeroed by hand. It has no word of its own health."""

    def __init__(self, is_active: bool = True, feedback: bool = True, remapped: bool = True) -> None:
        super().__init__(CONTROLLER, "controller_manager")
        node = self.nodes["controller_manager"]
        self.compliance = Compliance(self, feedback, remapped)
        positions = [f"{joint}/position" for joint in JOINTS]
        self.manager = ControllerManager(
            node,
            {
                "joint_trajectory_controller": Controller(not is_active, positions),
                CONTROLLER: Controller(is_active, positions, self.compliance.on_activate),
            },
        )
        self._wrench = node.create_publisher(WrenchStamped, SENSOR, 1)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.compliance.ignored

    def advance(self) -> None:
        self.compliance.is_active = self.manager.is_active(CONTROLLER)
        if self.compliance.is_active:
            self.compliance.update()

    def publish(self) -> None:
        if self.compliance.is_active:
            self.compliance.publish()
        stamp = self.now().to_msg()
        self._wrench.publish(wrench_message(self.arm.push, "tool0", stamp))
        self._joints.publish(joint_message(JOINTS, stamp))


assert PERIOD_S * GAIN[0] * 1500.0 < 1.0, "the discrete spring has to be stable"
