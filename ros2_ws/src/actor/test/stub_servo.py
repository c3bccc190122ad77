"""MoveIt Servo, on a UR with its driver and on an xArm 7 with crisp's pose broadcaster.

From moveit/moveit2, jazzy at 4d84106 (`moveit_ros/moveit_servo/`), and the two drivers:

- Servo starts with joint jogs: a twist is dropped with "Command type has not been set" until `~/switch_command_type`
  (`servo_node.cpp:130, 181-195, 378-396`), moveit_msgs/srv/ServoCommandType with 1 for twists.
- A command whose stamp is `incoming_command_timeout` old halts (`:261-283`): 0.1 s, an xArm's file says 0.2.
- While paused it does nothing at all, not even its status (`:349-354`). Going on takes the arm's present state
  (`:166-170`); while it is paused the smoothing keeps the state from before (`:351`). An idle cycle takes the present
  state too (`:417-423`), so only a pause leaves an old one behind.
- A twist in another frame than the planning frame is turned into it, if tf knows that frame (`servo.cpp:575-603`,
  `apply_twist_commands_about_ee_frame` is true); the planning frame is the IK solver's base.
- `command_in_type` is unitless by default, and then scaled by 0.4 m/s and 0.8 rad/s; with speed_units the scale is a
  limit (`servo_parameters.yaml:74-98`, `utils/command.cpp:172-199`). Both drivers' files say speed_units.
- On a UR the output goes to `forward_position_controller`, which is inactive after the launch and forgets what came
  before its activation (`ur_servo.yaml`, `forward_controllers_base.cpp:131-135`); servo_node runs with
  `launch_servo:=true` only (`ur_moveit.launch.py:94`). On an xArm it goes to `xarm7_traj_controller`, which is
  active, and the node is `servo_server` (`xarm_moveit_servo/launch/_robot_moveit_servo.launch.py`, jazzy at 0417b0f).
- An xArm's driver publishes `xarm/robot_states` (xarm_msgs/msg/RobotMsg; 5 Hz with report_type normal) and the
  sensor's wrench as `xarm/uf_ftsensor_ext_states` in the frame `uf_ft_sensor_ext_data` (`xarm_driver.cpp:118-128,
  245-248`). In an error, in a state above 2 or out of servo mode nothing is written to the arm
  (`uf_robot_system_hardware.cpp:430-485`). `clean_error`, `motion_enable`, `set_mode` and `set_state` bring it back;
  `set_mode` stops the arm first (`xarm_driver_service.cpp:492-504`).
"""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.time import Time
from sensor_msgs.msg import JointState
from std_srvs.srv import SetBool
from stub_arm import PERIOD_S, Stub, joint_message, wrench_message
from stub_controller_manager import Controller, ControllerManager
from stub_ur import BASE_FROM_BASE_LINK, UrDriver

from actor_ros import conversions
from steadyhand.robot_envs.frames import quat_inverse, quat_rotate

JOINT_JOG, TWIST = 0, 1


class Servo:
    """Servo on an arm.

    Args:
        stub: Has the node `name`.
        name: servo_node or servo_server.
        planning_frame: The physical frame, as the robot's URDF names it.
        turned_frames: Other frames that tf knows: quaternion of each in the physical frame.
        timeout_s: `incoming_command_timeout` of the driver's file.
        scale: `scale.linear` [m/s] and `scale.rotational` [rad/s] of the driver's file.
        command_in_type: The same.
    """

    def __init__(
        self,
        stub: Stub,
        name: str,
        planning_frame: str,
        turned_frames: dict[str, np.ndarray],
        timeout_s: float,
        scale: tuple[float, float],
        command_in_type: str,
    ) -> None:
        from moveit_msgs.msg import ServoStatus
        from moveit_msgs.srv import ServoCommandType

        self._stub, self._node = stub, stub.nodes[name]
        self._planning_frame, self._turned = planning_frame, turned_frames
        self._timeout_s, self._scale = timeout_s, scale
        self.command_type, self.is_paused = JOINT_JOG, False
        self.ignored: list[str] = []
        self.timeouts = 0
        self._smoothed = stub.arm.pose.copy()
        self._latest: TwistStamped | None = None
        self._node.declare_parameter("moveit_servo.command_in_type", command_in_type)
        self._node.create_subscription(TwistStamped, f"{name}/delta_twist_cmds", self._on_twist, 1)
        self._status = self._node.create_publisher(ServoStatus, f"{name}/status", 1)
        self._status_message = ServoStatus()
        self._node.create_service(SetBool, f"{name}/pause_servo", self._pause)
        self._types = self._node.create_service(ServoCommandType, f"{name}/switch_command_type", self._switch_type)

    def update(self) -> np.ndarray | None:
        """One cycle: the velocity that leads the arm to the position that goes out; None when none goes out."""
        if self.is_paused:
            return None
        velocity = self._velocity()
        if velocity is None:
            self.rest()
            return None
        return velocity + self._stub.arm.error(self._smoothed) / PERIOD_S

    def end_type_service(self) -> None:
        """As if Servo had not been started."""
        self._node.destroy_service(self._types)

    def publish(self) -> None:
        """Its status, unless it is paused."""
        if not self.is_paused:
            self._status.publish(self._status_message)

    def rest(self) -> None:
        """The smoothing starts from where the arm is."""
        self._smoothed = self._stub.arm.pose.copy()

    def _velocity(self) -> np.ndarray | None:
        message = self._latest
        if message is None:
            return None
        if self.command_type != TWIST:
            self._latest = None
            self.ignored.append("command type has not been set")
            return None
        age_s = (self._stub.now() - Time.from_msg(message.header.stamp)).nanoseconds / 1e9
        if age_s >= self._timeout_s:
            self._latest, self.timeouts = None, self.timeouts + 1
            return None
        twist, frame = conversions.twist_to_array(message), message.header.frame_id
        if frame != self._planning_frame:
            if frame not in self._turned:
                self._latest = None
                self.ignored.append("frame")
                return None
            twist = quat_rotate(np.broadcast_to(self._turned[frame], (2, 4)), twist.reshape(2, 3)).ravel()
        linear, angular = twist[:3], twist[3:]
        if self._node.get_parameter("moveit_servo.command_in_type").value == "unitless":
            return np.concatenate([linear * self._scale[0], angular * self._scale[1]])
        linear /= max(1.0, float(np.linalg.norm(linear)) / self._scale[0])
        angular /= max(1.0, float(np.linalg.norm(angular)) / self._scale[1])
        return np.concatenate([linear, angular])

    def _on_twist(self, message: TwistStamped) -> None:
        self._latest = message

    def _pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        if self.is_paused and not request.data:
            self.rest()
        self.is_paused = bool(request.data)
        response.success = True
        return response

    def _switch_type(self, request, response):
        if 0 <= request.command_type <= 2:
            self.command_type = int(request.command_type)
        response.success = request.command_type == self.command_type
        return response


class ServoUr(UrDriver):
    """A UR as ur_control.launch.py and ur_moveit.launch.py launch_servo:=true leave it.

    Args:
        headless: The driver's.
        command_in_type: Of Servo's parameter file.
    """

    def __init__(self, headless: bool = True, command_in_type: str = "speed_units") -> None:
        super().__init__("servo_node", headless=headless)
        turned = {"base": quat_inverse(BASE_FROM_BASE_LINK[3:])}
        self.servo = Servo(self, "servo_node", "base_link", turned, 0.1, (0.6, 0.3), command_in_type)
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.servo.ignored

    def advance(self) -> None:
        velocity = self.servo.update()
        if velocity is not None and self.runs and self.manager.is_active("forward_position_controller"):
            self.arm.move(velocity)
        if not self.servo.is_paused:
            self.servo.rest()

    def publish(self) -> None:
        self.publish_driver()
        self.servo.publish()


class ServoXarm(Stub):
    """An xArm 7 as xarm_moveit_servo_realmove.launch.py leaves it, with crisp's pose broadcaster spawned beside it."""

    def __init__(self, command_in_type: str = "speed_units") -> None:
        from xarm_msgs.msg import RobotMsg
        from xarm_msgs.srv import Call, SetInt16, SetInt16ById

        super().__init__("servo_server", "ufactory_driver")
        node = self.nodes["ufactory_driver"]
        self.joints = [f"joint{number}" for number in (2, 1, 3, 4, 5, 6, 7)]
        self.servo = Servo(self, "servo_server", "link_base", {}, 0.2, (0.4, 0.8), command_in_type)
        both = [f"{joint}/{kind}" for joint in self.joints for kind in ("position", "velocity")]
        self.manager = ControllerManager(
            node,
            {
                "xarm7_traj_controller": Controller(True, both),
                "joint_state_broadcaster": Controller(True),
                "pose_broadcaster": Controller(True),
            },
        )
        self.pose_frame = "link_base"
        self._message = RobotMsg(state=2, mode=1, angle=[0.0] * 7)
        self._pose = node.create_publisher(PoseStamped, "current_pose", 1)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self._wrench = node.create_publisher(WrenchStamped, "xarm/uf_ftsensor_ext_states", 10)
        self._states = node.create_publisher(RobotMsg, "xarm/robot_states", 10)
        node.create_timer(0.2, lambda: self._states.publish(self._message))
        node.create_service(Call, "xarm/clean_error", self._clean_error)
        node.create_service(SetInt16ById, "xarm/motion_enable", self._enable)
        node.create_service(SetInt16, "xarm/set_mode", self._set_mode)
        node.create_service(SetInt16, "xarm/set_state", self._set_state)
        self.steps_taken: list[str] = []
        self.start()

    @property
    def ignored(self) -> list[str]:
        return self.servo.ignored

    @property
    def runs(self) -> bool:
        return self._message.err == 0 and self._message.state <= 2 and self._message.mode == 1

    def fail(self) -> None:
        """A collision."""
        self._message.err, self._message.state, self._message.mode = 31, 4, 0
        self._states.publish(self._message)

    def advance(self) -> None:
        velocity = self.servo.update()
        if velocity is not None and self.runs and self.manager.is_active("xarm7_traj_controller"):
            self.arm.move(velocity)
        if not self.servo.is_paused:
            self.servo.rest()

    def publish(self) -> None:
        self.servo.publish()
        stamp = self.now().to_msg()
        if self.manager.is_active("pose_broadcaster"):
            self._pose.publish(conversions.pose_from_array(self.arm.pose, self.pose_frame, stamp))
        self._joints.publish(joint_message(self.joints, stamp))
        self._wrench.publish(wrench_message(self.arm.push, "uf_ft_sensor_ext_data", stamp))

    def _clean_error(self, _, response):
        self.steps_taken.append("clean_error")
        self._message.err = 0
        return response

    def _enable(self, request, response):
        self.steps_taken.append("motion_enable")
        response.ret = 0 if self._message.err == 0 else 1
        return response

    def _set_mode(self, request, response):
        self.steps_taken.append("set_mode")
        self._message.state, self._message.mode = 4, request.data
        return response

    def _set_state(self, request, response):
        self.steps_taken.append("set_state")
        if self._message.err == 0:
            self._message.state = 2 if request.data == 0 else request.data
        else:
            response.ret = 1
        return response
