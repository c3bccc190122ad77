"""Gripper drivers as their sources say, with fingers that take their time and a part that may be between them.

- `FrankaHand`: franka_gripper of frankarobotics/franka_ros2 (branch jazzy). Every goal is accepted and executed on a
  thread of its own, beside one that runs (`src/gripper_action_server.cpp:81-140`); a cancelled goal stops the hand and
  ends as canceled, a command that returns false or raises ends as aborted (`include/.../gripper_action_server.hpp:
  154-203`). The state has both fingers, each half of the width, at 15 Hz (`gripper_action_server.cpp:260-278`,
  `config/franka_gripper_node.yaml`).
- `ControllerGripper`: GripperActionController of ros-controls/ros2_controllers (branch jazzy), for GripperCommand
  (`gripper_controllers/include/.../gripper_action_controller_impl.hpp:84-202`) and ParallelGripperCommand
  (`parallel_gripper_controller/include/.../parallel_gripper_action_controller_impl.hpp:111-263`): a new goal ends the
  running one as canceled; within `goal_tolerance` it succeeds; fingers that stand for `stall_timeout` abort it with
  `stalled` (`allow_stalling` false is the default); the parallel one rejects a goal that has not one position.
"""

from __future__ import annotations

import contextlib
import threading
import time

import rclpy
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from ros_kit import wait_until
from sensor_msgs.msg import JointState

TICK_S = 0.005


class Driver:
    """A node with fingers, spun by threads of its own."""

    def __init__(self, name: str, joints: list[str], topic: str, rate_hz: float, width: float) -> None:
        self.width, self.part = width, -1.0
        self.overlaps = 0
        self._busy = 0
        self._servers: list[ActionServer] = []
        self._stop = threading.Event()
        self._frozen, self._stands = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = Node(name, context=self._context)
        self.group = ReentrantCallbackGroup()
        self._joints = joints
        self._state = self.node.create_publisher(JointState, topic, 1)
        self.node.create_timer(1.0 / rate_hz, self._tell, callback_group=self.group)
        self._executor = MultiThreadedExecutor(4, context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._executor.shutdown(1.0)
        self._thread.join(5.0)
        for server in self._servers:  # destroy_node leaves them, and clients of the next test would meet them
            server.destroy()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def position(self) -> float:
        raise NotImplementedError

    def freeze(self) -> None:
        """Answer nothing, as a driver that hangs."""
        self._frozen.set()
        wait_until(lambda: self._stands.is_set(), "a driver that hangs")

    def thaw(self) -> None:
        self._frozen.clear()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while not self._stop.is_set():
                if self._frozen.is_set():
                    self._stands.set()
                    self._stop.wait(TICK_S)
                else:
                    self._executor.spin_once(timeout_sec=0.05)

    def _tell(self) -> None:
        message = JointState(name=self._joints, position=[self.position()] * len(self._joints))
        message.header.stamp = self.node.get_clock().now().to_msg()
        self._state.publish(message)

    def step(self, target: float, speed: float, toward_closed: bool) -> bool:
        """Move for one tick; whether the fingers moved."""
        with self._lock:
            before = self.width
            change = min(max(target - before, -speed * TICK_S), speed * TICK_S)
            after = before + change
            if toward_closed and before >= self.part >= after:
                after = self.part
            self.width = after
        self._stop.wait(TICK_S)
        return self.width != before


class FrankaHand(Driver):
    """franka_gripper's node."""

    MAX_WIDTH = 0.08

    def __init__(self, width: float = 0.08, name: str = "franka_gripper") -> None:
        from franka_msgs.action import Grasp, Move

        joints = ["fr3_finger_joint1", "fr3_finger_joint2"]
        super().__init__(name, joints, f"{name}/joint_states", 15.0, width)
        self.goals: list[tuple[str, float, float, float]] = []
        self.error = ""
        self._stopped = threading.Event()
        options = {"callback_group": self.group, "cancel_callback": lambda _: CancelResponse.ACCEPT}
        self._servers = [
            ActionServer(self.node, Move, f"{name}/move", self._move, **options),
            ActionServer(self.node, Grasp, f"{name}/grasp", self._grasp, **options),
        ]
        self.start()

    def position(self) -> float:
        return self.width / 2

    def _move(self, handle):
        from franka_msgs.action import Move

        goal = handle.request
        self.goals.append(("move", goal.width, goal.speed, 0.0))
        return self._execute(handle, Move.Result(), goal.width, goal.speed, lambda: True)

    def _grasp(self, handle):
        from franka_msgs.action import Grasp

        goal = handle.request
        self.goals.append(("grasp", goal.width, goal.speed, goal.force))
        within = goal.epsilon
        return self._execute(
            handle,
            Grasp.Result(),
            goal.width,
            goal.speed,
            lambda: goal.width - within.inner <= self.width <= goal.width + within.outer,
        )

    def _execute(self, handle, result, width, speed, is_success):
        self.overlaps += self._busy > 0
        self._busy += 1
        try:
            if self.error or width > self.MAX_WIDTH:
                result.error = self.error or "libfranka gripper: width out of range"
                handle.abort()
                return result
            while not self._stop.is_set() and self.step(width, speed, width < self.width):
                if handle.is_cancel_requested:
                    result.error = "libfranka gripper: command aborted"
                    handle.canceled()
                    return result
            result.success = bool(is_success())
            (handle.succeed if result.success else handle.abort)()
            return result
        finally:
            self._busy -= 1


class ControllerGripper(Driver):
    """A joint of ros2_control under a GripperActionController; position 0 = open, as Robotiq's."""

    OPEN_M, CLOSED_POSITION = 0.085, 0.8
    GOAL_TOLERANCE, STALL_TIMEOUT_S = 0.01, 0.2
    SPEED_M_S = 0.15

    def __init__(self, parallel: bool, width: float = 0.085, name: str = "robotiq_gripper_controller/gripper_cmd"):
        from control_msgs.action import GripperCommand, ParallelGripperCommand

        joint = "robotiq_85_left_knuckle_joint"
        super().__init__("robotiq_gripper_controller", [joint], "joint_states", 50.0, width)
        self.is_parallel = parallel
        self.type = ParallelGripperCommand if parallel else GripperCommand
        self.goals: list[float] = []
        self.efforts: list[float] = []
        self.fails = self.rejects = False
        self._active = None
        self._servers = [
            ActionServer(
                self.node,
                self.type,
                name,
                self._execute,
                callback_group=self.group,
                goal_callback=self._on_goal,
                cancel_callback=lambda _: CancelResponse.ACCEPT,
            )
        ]
        self.start()

    def position(self) -> float:
        return (1.0 - self.width / self.OPEN_M) * self.CLOSED_POSITION

    def _on_goal(self, goal):
        if self.rejects or (self.is_parallel and len(goal.command.position) != 1):
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _execute(self, handle):
        goal, result = handle.request, self.type.Result()
        position = goal.command.position[0] if self.is_parallel else goal.command.position
        self.goals.append(position)
        self.efforts += list(goal.command.effort) if self.is_parallel else [goal.command.max_effort]
        self._active = handle
        wanted = (1.0 - position / self.CLOSED_POSITION) * self.OPEN_M
        moved_at = time.monotonic()
        while not self._stop.is_set():
            if self._active is not handle:  # preempt_active_goal
                handle.abort()
                return result
            if self.fails:
                handle.abort()
                return result
            if abs(self.position() - position) < self.GOAL_TOLERANCE:
                self.step(wanted, self.SPEED_M_S, wanted < self.width)
                result.reached_goal = True
                handle.succeed()
                return result
            if self.step(wanted, self.SPEED_M_S, wanted < self.width):
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > self.STALL_TIMEOUT_S:
                result.stalled = True
                handle.abort()
                return result
        return result
