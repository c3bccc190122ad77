"""An arm under a controller manager with a Cartesian controller and a joint trajectory controller.

- Cartesian, as crisp_controllers (utiasDSL, main): a target that comes while it is inactive sets a flag and is followed
  after the activation (`src/cartesian_controller.cpp:345, 83`); without one it starts at the measured pose.
- Trajectories, as joint_trajectory_controller of ros-controls/ros2_controllers (jazzy,
  `src/joint_trajectory_controller.cpp`): goals are rejected while it is inactive (1407), with other joints (1678-1714),
  with a last point that moves (1717-1730) or times that do not rise (1755); a cancelled goal holds the position (1423).
- The switch, as controller_manager of ros-controls/ros2_control (jazzy): with BEST_EFFORT what is so already, or is not
  loaded, is passed over; two controllers that claim the same joints are never active together.

The kinematics are simple on purpose: the first three joints move the tool along x, y and z, the other four not at all.
"""

from __future__ import annotations

import contextlib
import threading
import time

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped, TwistStamped, WrenchStamped
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from actor_ros import conversions

CARTESIAN, TRAJECTORY = "cartesian_impedance_controller", "joint_trajectory_controller"
PERIOD_S = 0.01
M_PER_RAD = 0.1
OFFSET = np.array([0.5, 0.0, 0.25])
DOWN = np.array([1.0, 0.0, 0.0, 0.0])
RATE = 0.1  # share of the error to a Cartesian target that is made good in a period


class JointArm:
    def __init__(self, joints: list[str], position: np.ndarray) -> None:
        from control_msgs.action import FollowJointTrajectory
        from controller_manager_msgs.srv import ListControllers, SwitchController

        self.joints = joints
        self.position = np.array(position, np.float64)
        self.velocity = np.zeros(len(joints))
        self.active = {CARTESIAN}
        self.loaded = {CARTESIAN, TRAJECTORY}
        self.switches: list[tuple[list[str], list[str]]] = []
        self.trajectories: list = []
        self.cancels = 0
        self.is_deaf = False
        self.push_n = 0.0
        self.abort_reason = ""
        self.largest_step_rad = 0.0
        self.pull_at_activation_m = 0.0
        self._target: np.ndarray | None = None
        self._flagged = False
        self._path = None
        self._stop = threading.Event()
        self._types = FollowJointTrajectory, SwitchController, ListControllers
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = node = Node("joint_arm", context=self._context)
        group = ReentrantCallbackGroup()
        self._pose = node.create_publisher(PoseStamped, "current_pose", 1)
        self._twist = node.create_publisher(TwistStamped, "current_twist", 1)
        self._joints = node.create_publisher(JointState, "joint_states", 1)
        self._wrench = node.create_publisher(WrenchStamped, "external_wrench", 1)
        self._well = node.create_publisher(Bool, "robot_ok", 1)
        node.create_subscription(PoseStamped, "target_pose", self._on_target, 1, callback_group=group)
        switch, listing = "controller_manager/switch_controller", "controller_manager/list_controllers"
        node.create_service(SwitchController, switch, self._on_switch, callback_group=group)
        node.create_service(ListControllers, listing, self._on_list, callback_group=group)
        self._server = ActionServer(
            node,
            FollowJointTrajectory,
            f"{TRAJECTORY}/follow_joint_trajectory",
            self._execute,
            callback_group=group,
            goal_callback=self._on_goal,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )
        self._executor = MultiThreadedExecutor(4, context=self._context)
        self._executor.add_node(node)
        self._threads = [threading.Thread(target=target, daemon=True) for target in (self._spin, self._loop)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._stop.set()
        self._executor.shutdown(1.0)
        for thread in self._threads:
            thread.join(5.0)
        self._server.destroy()  # destroy_node leaves it
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def tool(self) -> np.ndarray:
        return np.concatenate([OFFSET + M_PER_RAD * self.position[:3], DOWN])

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def _loop(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            before = self.position.copy()
            if self._path is not None:
                self._path(self)
            elif CARTESIAN in self.active and self._target is not None:
                error = (self._target[:3] - self.tool()[:3]) / M_PER_RAD
                self.position[:3] += RATE * error
            self.velocity = (self.position - before) / PERIOD_S
            self.largest_step_rad = max(self.largest_step_rad, float(np.abs(self.position - before).max()))
            self._tell()
            due = max(due + PERIOD_S, time.monotonic() - PERIOD_S)
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _tell(self) -> None:
        stamp = self.node.get_clock().now().to_msg()
        twist = np.concatenate([M_PER_RAD * self.velocity[:3], np.zeros(3)])
        self._pose.publish(conversions.pose_from_array(self.tool(), "base", stamp))
        self._twist.publish(conversions.twist_from_array(twist, "base", stamp))
        self._joints.publish(conversions.joints_from_arrays(self.joints, self.position, self.velocity, stamp))
        wrench = WrenchStamped()
        wrench.header.frame_id, wrench.header.stamp = "fr3_hand_tcp", stamp
        wrench.wrench.force.z = self.push_n
        self._wrench.publish(wrench)
        self._well.publish(Bool(data=True))

    def _on_target(self, message: PoseStamped) -> None:
        if not self.is_deaf:
            self._target, self._flagged = conversions.pose_to_array(message.pose), True

    def _on_switch(self, request, response):
        self.switches.append((list(request.activate_controllers), list(request.deactivate_controllers)))
        self.active -= set(request.deactivate_controllers)
        for name in request.activate_controllers:
            if name not in self.loaded:
                response.message = f"Could not find a controller with name '{name}'"
            elif not self.active - {name}:
                if name == CARTESIAN and name not in self.active:
                    target = self._target if self._flagged else self.tool()
                    self._target, self._flagged = target, False
                    self.pull_at_activation_m = float(np.linalg.norm(target[:3] - self.tool()[:3]))
                self.active.add(name)
        if CARTESIAN not in self.active:
            self._flagged = False
        response.ok = True
        return response

    def _on_list(self, _, response):
        from controller_manager_msgs.msg import ControllerState

        response.controller = [
            ControllerState(name=name, state="active" if name in self.active else "inactive")
            for name in sorted(self.loaded)
        ]
        return response

    def _on_goal(self, goal):
        trajectory = goal.trajectory
        times = [point.time_from_start.sec + 1e-9 * point.time_from_start.nanosec for point in trajectory.points]
        is_sound = (
            TRAJECTORY in self.active
            and sorted(trajectory.joint_names) == sorted(self.joints)
            and bool(times)
            and not np.abs(trajectory.points[-1].velocities).any()
            and all(np.diff([0.0, *times]) > 0.0)
        )
        return GoalResponse.ACCEPT if is_sound else GoalResponse.REJECT

    def _execute(self, handle):
        result = self._types[0].Result()
        trajectory = handle.request.trajectory
        self.trajectories.append(trajectory)
        order = [trajectory.joint_names.index(name) for name in self.joints]
        times = [0.0, *(p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in trajectory.points)]
        points = np.array([self.position, *(np.array(p.positions)[order] for p in trajectory.points)])
        start = time.monotonic()

        def follow(arm: JointArm) -> None:
            now = time.monotonic() - start
            arm.position = np.array([np.interp(now, times, points[:, joint]) for joint in range(len(arm.joints))])

        self._path = follow
        try:
            while time.monotonic() - start < times[-1] and not self._stop.is_set():
                if self.abort_reason:
                    result.error_code, result.error_string = result.PATH_TOLERANCE_VIOLATED, self.abort_reason
                    handle.abort()
                    return result
                if handle.is_cancel_requested:
                    self.cancels += 1
                    handle.canceled()
                    return result
                self._stop.wait(PERIOD_S)
            self._stop.wait(2 * PERIOD_S)  # a last look at the path
        finally:
            self._path = None
        result.error_string = "Goal successfully reached!"
        handle.succeed()
        return result
