"""Grippers with actions: control_msgs' GripperCommand and ParallelGripperCommand, franka_msgs' Move and Grasp.

The message packages are imported only if a profile needs them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.node import Node

from steadyhand.robot_envs.gripper_profile import GripperProfile

__all__ = ["ActionGripper", "Goals", "make_goals"]


@dataclass(frozen=True)
class Goal:
    """One goal, and the index of its action among the gripper's actions."""

    action: int
    message: Any


class Goals(Protocol):
    """The conversion of a gripper's openings to goals, and of its results to failures.

    Attributes:
        actions: Type and name of each action.
        replaces: Whether the server replaces a running goal by a new one; if not, the running goal is cancelled first.
    """

    actions: tuple[tuple[Any, str], ...]
    replaces: bool

    def make(self, opening_m: float, measured_m: float) -> Goal:
        """Make the goal for an opening [m]; the measured opening decides between opening and closing."""

    def failure(self, status: int, result: Any) -> str:
        """Return why a goal with this status and result failed; "" if it succeeded."""


class _GripperCommandGoals:
    """Goals of control_msgs/action/GripperCommand, served by ros2_controllers' gripper_controllers."""

    replaces = True

    def __init__(self, profile: GripperProfile) -> None:
        try:
            from control_msgs.action import GripperCommand
        except ImportError:
            raise _missing(profile, "control_msgs") from None
        self.actions: tuple[tuple[Any, str], ...] = ((GripperCommand, profile.command),)
        self._profile = profile

    def make(self, opening_m: float, measured_m: float) -> Goal:
        goal = self.actions[0][0].Goal()
        goal.command.position = self._profile.command_for(opening_m)
        goal.command.max_effort = float(self._profile.max_effort or 0.0)
        return Goal(0, goal)

    def failure(self, status: int, result: Any) -> str:
        return _stalled_or(status, result)


class _ParallelGripperCommandGoals:
    """Goals of control_msgs/action/ParallelGripperCommand, served by ros2_controllers' parallel_gripper_controller."""

    replaces = True

    def __init__(self, profile: GripperProfile) -> None:
        try:
            from control_msgs.action import ParallelGripperCommand
        except ImportError:
            raise _missing(profile, "control_msgs") from None
        self.actions: tuple[tuple[Any, str], ...] = ((ParallelGripperCommand, profile.command),)
        self._profile = profile

    def make(self, opening_m: float, measured_m: float) -> Goal:
        goal = self.actions[0][0].Goal()
        goal.command.name = [self._profile.joint]
        goal.command.position = [self._profile.command_for(opening_m)]
        goal.command.effort = [] if self._profile.max_effort is None else [self._profile.max_effort]
        return Goal(0, goal)

    def failure(self, status: int, result: Any) -> str:
        return _stalled_or(status, result)


class _FrankaGoals:
    """Goals of franka_msgs' Move to open and Grasp to close, served by franka_gripper."""

    replaces = False
    _MOVE, _GRASP = 0, 1

    def __init__(self, profile: GripperProfile) -> None:
        try:
            from franka_msgs.action import Grasp, Move
        except ImportError:
            raise _missing(profile, "franka_msgs") from None
        self.actions: tuple[tuple[Any, str], ...] = (
            (Move, f"{profile.command}/move"),
            (Grasp, f"{profile.command}/grasp"),
        )
        self._profile = profile

    def make(self, opening_m: float, measured_m: float) -> Goal:
        profile = self._profile
        is_opening = opening_m >= measured_m
        goal = self.actions[self._MOVE if is_opening else self._GRASP][0].Goal()
        goal.width, goal.speed = profile.command_for(opening_m), profile.limits.max_speed_m_s
        if is_opening:
            return Goal(self._MOVE, goal)
        goal.force = float(profile.max_effort or 0.0)
        # The tolerance covers the whole stroke, so that the hand accepts a part of any size as grasped.
        span = abs(profile.open.command - profile.closed.command)
        goal.epsilon.inner = goal.epsilon.outer = span
        return Goal(self._GRASP, goal)

    def failure(self, status: int, result: Any) -> str:
        if result.success:
            return ""
        return str(result.error) or "the hand gives no reason; is it homed?"


def make_goals(profile: GripperProfile) -> Goals:
    """Return the goal conversion of a gripper that is not of kind topic.

    Raises:
        ImportError: The action's package is not installed; the line names it.
    """
    kinds: dict[str, Callable[[GripperProfile], Goals]] = {
        "gripper_command": _GripperCommandGoals,
        "parallel_gripper_command": _ParallelGripperCommandGoals,
        "franka": _FrankaGoals,
    }
    return kinds[profile.kind](profile)


class ActionGripper:
    """Gripper with one goal at a time. The loop calls it; the thread of the callbacks handles the answers."""

    topic_name = ""

    def __init__(self, node: Node, profile: GripperProfile, goals: Goals) -> None:
        self.problem = ""
        self._profile, self._goals = profile, goals
        self._clients = [ActionClient(node, kind, name) for kind, name in goals.actions]
        self._names = [node.resolve_topic_name(name) for _, name in goals.actions]
        # Goals are sent on the callback thread. On another thread, an answer could arrive before its future is stored.
        self._wake = node.create_guard_condition(self._work)
        self._lock = threading.Lock()
        self._next: Goal | None = None
        self._must_halt = False
        self._has_failed = False
        self._running: Goal | None = None
        self._handle: Any = None
        self._is_cancelled = False
        self._due_s: float | None = None  # monotonic deadline of the server's answer

    def send(self, opening_m: float, measured_m: float) -> None:
        """Queue the goal for an opening [m]; it replaces a queued goal that has not been sent."""
        with self._lock:
            self._next = self._goals.make(opening_m, measured_m)
        self._wake.trigger()

    def halt(self) -> bool:
        """Cancel a running goal of a gripper that moves at its own speed; return whether there was one.

        A gripper that is commanded in steps stops by itself, and cancelling its goal might release the part.
        """
        with self._lock:
            if self._goals.replaces or self._must_halt or (self._running is None and self._next is None):
                return False
            self._next, self._must_halt = None, True
        self._wake.trigger()
        return True

    def close(self) -> None:
        """Destroy the action clients."""
        for client in self._clients:
            client.destroy()

    def take_failure(self) -> bool:
        """Return whether a goal has failed since the last call."""
        if self._is_overdue():
            self._wake.trigger()
        has_failed, self._has_failed = self._has_failed, False
        return has_failed

    def _work(self) -> None:
        if self._is_overdue():
            self._give_up("expected an answer of the server, found none; look at the gripper's driver")
        with self._lock:
            must_halt, self._must_halt = self._must_halt, False
            is_busy = self._running is not None and not self._goals.replaces
            goal = self._next
            if not (must_halt or is_busy):
                self._next = None
        if must_halt or (goal is not None and is_busy):
            self._cancel()  # the next goal is sent when this one has ended
        elif goal is not None:
            self._send(goal)

    def _send(self, goal: Goal) -> None:
        client = self._clients[goal.action]
        if not client.server_is_ready():
            self._fail(f"gripper: no server of the action {self._names[goal.action]}; start the gripper's driver")
            return
        self._running, self._handle, self._is_cancelled = goal, None, False
        self._expect_answer()
        future = client.send_goal_async(goal.message)
        future.add_done_callback(lambda answered: self._on_answer(goal, answered))

    def _cancel(self) -> None:
        if self._running is None or self._is_cancelled:
            return
        self._is_cancelled = True
        self._expect_answer()
        if self._handle is not None:
            self._handle.cancel_goal_async()

    def _expect_answer(self) -> None:
        self._due_s = time.monotonic() + self._profile.limits.retry_s

    def _is_overdue(self) -> bool:
        due_s = self._due_s
        return due_s is not None and time.monotonic() > due_s

    def _on_answer(self, goal: Goal, answered: Any) -> None:
        handle = answered.result()
        is_running = goal is self._running
        if not handle.accepted:
            if is_running:
                self._give_up("the server refuses the goal; look at the gripper's driver")
            return
        handle.get_result_async().add_done_callback(lambda ended: self._on_end(goal, ended))
        if is_running:
            self._handle = handle
            self._due_s = None if not self._is_cancelled else self._due_s
        # The goal was cancelled before it was accepted, or given up. It must not move the fingers later.
        if (is_running and self._is_cancelled) or (not is_running and not self._goals.replaces):
            handle.cancel_goal_async()

    def _give_up(self, line: str) -> None:
        goal, self._running, self._handle, self._due_s = self._running, None, None, None
        if goal is not None:
            self._fail(f"gripper: {self._names[goal.action]}: {line}")

    def _on_end(self, goal: Goal, ended: Any) -> None:
        if goal is not self._running:
            return  # replaced, or given up
        was_cancelled = self._is_cancelled
        self._running = self._handle = self._due_s = None
        answer = ended.result()
        reason = "" if was_cancelled else self._goals.failure(int(answer.status), answer.result)
        if reason:
            self._fail(f"gripper: {self._names[goal.action]} failed: {reason}")
        elif not was_cancelled:
            self.problem = ""
        self._work()

    def _fail(self, line: str) -> None:
        self.problem, self._has_failed = line, True


def _stalled_or(status: int, result: Any) -> str:
    """Return why a goal of ros2_controllers failed. Stalled fingers hold a part: no failure with any status."""
    if status == GoalStatus.STATUS_SUCCEEDED or result.stalled:
        return ""
    return "it was cancelled" if status == GoalStatus.STATUS_CANCELED else "it was aborted without a stall"


def _missing(profile: GripperProfile, package: str) -> ImportError:
    distribution = os.environ.get("ROS_DISTRO", "jazzy")
    install = {
        "control_msgs": f"sudo apt-get install ros-{distribution}-control-msgs",
        "franka_msgs": "source the workspace that has franka_ros2",
    }
    return ImportError(
        f"robot.profile.gripper: kind {profile.kind} needs the package {package}, which is not installed; "
        f"{install[package]}"
    )
