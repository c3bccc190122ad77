"""The mock robot node: a MuJoCo arm with the topics, parameters and quality of service of a real controller.

Callbacks put messages into one queue; only the loop touches the physics.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image, JointState, MultiDOFJointState
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import Trigger

from actor_ros import conversions, diagnostics, qos
from actor_ros.conversions import MessageError
from actor_ros.mock_cell import MockNodeConfig, make_cell
from actor_ros.parameters import compose_config, declare_settings, robot_config
from actor_ros.spin import run
from steadyhand.actor.schedule import Schedule
from steadyhand.robot_envs.mock.camera import RenderedCamera
from steadyhand.robot_envs.mock.config import RenderedCameraConfig
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.leave import leave

_NS = 1_000_000_000
_GAINS = ("task.k_pos", "task.k_rot")
_LARGEST_GAIN = 5000.0
_RECOVER_STEPS = ("error_recovery", "activate_controller")


class MockRobotNode(Node):
    """The node with the topics of one `MockCell`."""

    def __init__(self) -> None:
        super().__init__("mock_robot")
        config = compose_config(self)
        self._profile = robot_config(config).profile
        if self._profile.command_mode != "pose":
            raise ConfigError("robot.profile.command_mode: the mock robot follows poses; choose pose")
        self._cell = make_cell(config)
        self._rates = declare_settings(
            self, "mock_node", build(MockNodeConfig, config["robot"]["mock_node"], "mock_node")
        )
        views = {
            name: build(RenderedCameraConfig, view, f"camera.{name}")
            for name, view in config["camera"]["views"].items()
        }
        world = self._cell.robot.world
        self._cameras = [RenderedCamera(view.uncropped, name, world) for name, view in views.items()]
        self._arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._publishers_seen = 1
        self._stage_stamp = conversions.stamp_from_ns(0)
        self._declare_parameters()
        self._connect()

    def work(self, stop: threading.Event) -> None:
        """Step the simulation with the wall clock, and publish the state of the arm."""
        for camera in self._cameras:  # an OpenGL context belongs to the thread that opens it
            camera.connect()
        clock = self._cell.robot.world.clock
        now = clock.now_ns()
        schedule = Schedule(self._rates.state_rate_hz, now)
        next_status, next_report = now, now + _NS
        next_image = [now for _ in self._cameras]
        while not stop.is_set():
            self._cell.advance(schedule.due_ns)
            now = clock.now_ns()
            schedule.begin(now)
            while not self._arrived.empty():
                self._arrived.get()()
            self._publish_state()
            for index, camera in enumerate(self._cameras):
                if now >= next_image[index] and self._images[index].get_subscription_count():
                    next_image[index] = now + round(_NS / self._rates.image_rate_hz)
                    self._publish_image(index, camera)
            if now >= next_status:
                next_status = now + round(_NS / self._rates.status_rate_hz)
                self._publishers_seen = self.count_publishers(self._targets.topic_name)
                self._publish_status()
            if now >= next_report:
                next_report = now + _NS
                self._report(schedule)

    def close(self) -> None:
        """Hold, and close the cameras."""
        self._cell.robot.close()
        for camera in self._cameras:
            camera.close()

    def _declare_parameters(self) -> None:
        unit = {"task.k_pos": "N/m", "task.k_rot": "Nm/rad"}
        gains = self._cell.robot.world.config.impedance
        for name, value in zip(_GAINS, (gains.stiffness_n_m, gains.rotation_stiffness_nm_rad), strict=True):
            allowed = [FloatingPointRange(from_value=1.0, to_value=_LARGEST_GAIN, step=0.0)]
            description = f"Stiffness of the impedance controller [{unit[name]}]."
            self.declare_parameter(
                name, value, ParameterDescriptor(description=description, floating_point_range=allowed)
            )
        description = "Mock only: setting it begins an episode: the noise is reseeded, the arm stays where it is."
        allowed_seeds = [IntegerRange(from_value=0, to_value=2**31 - 1, step=1)]
        self.declare_parameter(
            "episode_seed", 0, ParameterDescriptor(description=description, integer_range=allowed_seeds)
        )
        self.add_on_set_parameters_callback(self._on_parameters)

    def _connect(self) -> None:
        profile, topics = self._profile, self._profile.topics
        state, command, event = qos.profile("state"), qos.profile("command"), qos.profile("event")
        self._pose = self.create_publisher(PoseStamped, topics.pose, state)
        self._twist = self.create_publisher(TwistStamped, topics.twist, state) if topics.twist else None
        self._joints = self.create_publisher(JointState, topics.joint_states, state)
        self._wrench = self.create_publisher(WrenchStamped, topics.wrench, state) if topics.wrench else None
        self._ok = self.create_publisher(Bool, profile.fault.topic, state) if profile.fault else None
        self._images = [
            self.create_publisher(Image, f"{c.name}/image_raw", qos.profile("image")) for c in self._cameras
        ]
        self._workpieces_state = self.create_publisher(MultiDOFJointState, "mock_robot/workpieces_state", state)
        self._reporter = diagnostics.Reporter(self)
        self._targets = self.create_subscription(PoseStamped, topics.command, self._on_target, command)
        self.create_subscription(MultiDOFJointState, "mock_robot/workpieces", self._on_stage, event)
        self._gripper_state = None
        if profile.gripper is not None and profile.gripper.kind == "topic":
            self._gripper_state = self.create_publisher(JointState, profile.gripper.state_topic, state)
            self.create_subscription(Float64MultiArray, profile.gripper.command, self._on_gripper, command)
        self.create_service(Trigger, "mock_robot/inject_fault", self._on_inject_fault)
        for step in _RECOVER_STEPS:
            self.create_service(Trigger, f"mock_robot/{step}", self._recover_with(step))

    def _on_target(self, message: PoseStamped) -> None:
        frame = str(message.header.frame_id)
        try:
            pose = conversions.pose_to_array(message.pose)
        except MessageError:
            pose = np.full(7, np.nan)
        self._arrived.put(lambda: self._cell.target(pose, frame, self._profile.base_frame, self._publishers_seen))

    def _on_gripper(self, message: Float64MultiArray) -> None:
        if len(message.data) == 1 and self._profile.gripper is not None:
            width = self._profile.gripper.commanded_opening(float(message.data[0]))
            self._arrived.put(lambda: self._cell.gripper(width))

    def _on_stage(self, message: MultiDOFJointState) -> None:
        try:
            poses = conversions.poses_to_arrays(message)
        except MessageError as error:
            self.get_logger().error(str(error))
            return

        def place() -> None:
            self._cell.place(poses)
            self._stage_stamp = message.header.stamp

        self._arrived.put(place)

    def _on_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        values = {parameter.name: parameter.value for parameter in parameters}
        if any(name in values for name in _GAINS):
            k_pos, k_rot = (float(values.get(name, self.get_parameter(name).value)) for name in _GAINS)
            self._arrived.put(lambda: self._cell.set_gains(k_pos, k_rot))
        if "episode_seed" in values:
            self._now(lambda: self._cell.begin(int(values["episode_seed"])))
        return SetParametersResult(successful=True)

    def _on_inject_fault(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._now(self._cell.fail)
        response.success = True
        return response

    def _recover_with(self, step: str) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def on_step(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.message = self._now(lambda: self._cell.recover(step))
            response.success = not response.message
            return response

        return on_step

    def _now(self, action: Callable[[], Any]) -> Any:
        """Run an action in the loop and wait for its result: one period, unless the node is ending."""
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._arrived.put(lambda: done.put(action()))
        try:
            return done.get(timeout=1.0)
        except queue.Empty:
            return "the mock robot is ending"

    def _publish_state(self) -> None:
        state = self._cell.read()
        stamp, base, tool = self.get_clock().now().to_msg(), self._profile.base_frame, self._profile.tool_frame
        pose = state.tcp_pose[0]
        self._pose.publish(conversions.pose_from_array(pose, base, stamp))
        if self._twist is not None:
            self._twist.publish(conversions.twist_from_array(state.tcp_twist[0], base, stamp))
        names = self._profile.joints
        self._joints.publish(
            conversions.joints_from_arrays(names, state.joint_position[0], state.joint_velocity[0], stamp)
        )
        if self._wrench is not None:
            convention = self._profile.wrench
            frame = tool if convention.frame == "tool" else base
            self._wrench.publish(conversions.wrench_from_array(state.wrench[0], convention, pose[3:], frame, stamp))

    def _publish_status(self) -> None:
        stamp = self.get_clock().now().to_msg()
        if self._ok is not None:
            self._ok.publish(Bool(data=self._cell.is_well))
        if self._gripper_state is not None and self._profile.gripper is not None:
            gripper = self._profile.gripper
            position = np.array([gripper.position_at(float(self._cell.read().gripper_width[0]))])
            self._gripper_state.publish(conversions.joints_from_arrays([gripper.joint], position, None, stamp))
        poses = {name: self._cell.robot.pose_of(name) for name in self._cell.workpieces}
        self._workpieces_state.publish(
            conversions.poses_from_arrays(poses, self._profile.base_frame, self._stage_stamp)
        )

    def _publish_image(self, index: int, camera: RenderedCamera) -> None:
        stamp = self.get_clock().now().to_msg()
        self._images[index].publish(conversions.image_from_array(camera.latest().pixels, camera.name, stamp))

    def _report(self, schedule: Schedule) -> None:
        values = diagnostics.period_values(schedule.timing, schedule.missed)
        values |= {"targets_followed": str(self._cell.followed), "is_well": str(self._cell.is_well)}
        values |= {f"ignored.{reason}": str(count) for reason, count in self._cell.ignored.items()}
        level = diagnostics.OK if self._cell.is_well else diagnostics.ERROR
        self._reporter.report(level, "running" if self._cell.is_well else "fault", values)


def main() -> None:
    """Run the node."""
    leave(run(MockRobotNode))


if __name__ == "__main__":
    main()
