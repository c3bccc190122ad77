"""Joint-space homing: a trajectory by another controller, then a return to the Cartesian one at the measured pose.

It needs the same enable as every motion. While it runs, force, torque, workspace and speed of the tool are monitored.
A broken limit or a withdrawn enable cancels the trajectory. The watchdog cancels it when the actor falls silent
(`homing_guard.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from rclpy.action import ActionClient
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectoryPoint

from actor_ros.robot_link import RobotLink
from actor_ros.running_goal import RunningGoal
from actor_ros.service_calls import call
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.homing_profile import HomingProfile
from steadyhand.robot_envs.robot import MayGoOn, RobotError, RobotState
from steadyhand.robot_envs.safety.homing_watch import HomingWatch, require_joint_limits
from steadyhand.robot_envs.safety.joint_motion import JointMotion, plan_joint_motion
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.rate_limit import RateLimits
from steadyhand.runtime.clock import Clock

__all__ = ["Homing", "rates_of"]

_NS = 1_000_000_000
_CALL_S = 5.0  # limit of a service call or an action's answer
_SPARE_S = 5.0  # margin beyond the trajectory's duration
_POINT_S = 0.05  # time between two points of a trajectory
_SEED_S, _SEED_SHARE = 0.3, 1.5  # offset and factor of the time that the watchdog's target needs to reach the arm

Read = Callable[[], RobotState]


class Homing:
    """Homing motion of one arm's joints.

    Args:
        node: The node; another thread must run its callbacks.
        profile: The homing profile.
        link: The arm's topics.
        limits: The limits of the cell.
        control_period_s: Time between two checks of the arm.
        clock: The clock of the sources.

    Raises:
        ConfigError: The home position or its speed breaks the joints' limits.
        ImportError: control_msgs or controller_manager_msgs is not installed.
    """

    def __init__(
        self,
        node: Node,
        profile: HomingProfile,
        link: RobotLink,
        limits: SafetyLimits,
        control_period_s: float,
        clock: Clock,
    ) -> None:
        self._follow_type, self._switch_type, self._list_type = _import_types()
        self._node, self._profile, self._link, self._limits = node, profile, link, limits
        self._period_ns, self._clock = round(control_period_s * _NS), clock
        self._action = ActionClient(node, self._follow_type, profile.action)
        self._home = np.asarray(profile.position_rad, np.float64)
        self._rates = rates_of(profile)
        if limits.joints is not None:
            require_joint_limits(self._home, self._rates, limits.joints)
        self._episodes = 0
        # The trajectory's controllers may be active, for instance after an actor that died during homing.
        self._is_away = True

    @property
    def is_away(self) -> bool:
        """True while the trajectory's controllers may be active instead of the Cartesian one."""
        return self._is_away

    def go(self, read: Read, may_go_on: MayGoOn) -> bool:
        """Home the arm if that is due, and return to the Cartesian controller.

        Args:
            read: Returns the state of the arm.
            may_go_on: Returns whether motion is allowed and the arm has no fault.

        Returns:
            Whether the reset may continue; False if motion is no longer allowed.

        Raises:
            RobotError: A controller or the action failed, or a limit was broken; the line says which.
        """
        if not may_go_on(read()):
            return False
        if self._is_away and self._objection(self._profile.deactivate, self._profile.activate):
            self._switch_back()
        self._is_away = False
        is_due = self._episodes % self._profile.every_episodes == 0
        self._episodes += 1
        start = read().joint_position[0]
        if not is_due or self._is_home(start):
            return True
        motion = plan_joint_motion(start, self._home, self._rates, _POINT_S)
        self._is_away = True
        try:
            self._switch(self._profile.activate, self._profile.deactivate)
            has_arrived = self._follow(motion, read, may_go_on)
        finally:
            state = read()
            if state.ok.all() and not state.silent_source:
                self._switch_back()
        if not has_arrived:
            self._episodes -= 1
            return False
        away = np.abs(read().joint_position[0] - self._home)
        if not self._is_home(read().joint_position[0]):
            raise RobotError(
                f"homing: expected every joint within {self._profile.tolerance_rad} rad of home, found joint "
                f"{int(away.argmax()) + 1} {away.max():.3f} rad away; look what holds it"
            )
        return True

    def _is_home(self, position: Array) -> bool:
        return bool(np.abs(position - self._home).max() <= self._profile.tolerance_rad)

    def _follow(self, motion: JointMotion, read: Read, may_go_on: MayGoOn) -> bool:
        """Follow a trajectory to its end; return False if it was cancelled because motion is no longer allowed."""
        until_ns = self._clock.now_ns() + round((motion.duration_s + _SPARE_S) * _NS)
        watch = HomingWatch(self._limits, self._link.profile.watchdog, read())
        goal = RunningGoal(self._node, self._action, self._profile.action, _CALL_S)
        try:
            self._link.homing(True)
            goal.send(self._goal(motion))
            while not goal.is_over:
                self._link.homing(True)
                state = read()
                if not may_go_on(state):
                    return False
                watch.require_limits(state, self._clock.now_ns())
                if self._clock.now_ns() > until_ns:
                    raise RobotError(
                        f"homing: expected the end of {self._profile.action} within {motion.duration_s:.1f} s, found "
                        f"none {_SPARE_S} s later; look what holds the arm"
                    )
                self._clock.sleep_until(self._clock.now_ns() + self._period_ns)
        finally:
            try:
                goal.end(_CALL_S)
            finally:
                self._link.homing(False)
        if goal.failure:
            raise RobotError(f"homing: {self._profile.action} {goal.failure}")
        return True

    def _goal(self, motion: JointMotion) -> Any:
        goal = self._follow_type.Goal()
        goal.trajectory.joint_names = list(self._link.profile.joints)
        for index, time_s in enumerate(motion.time_s):
            seconds, fraction = divmod(float(time_s), 1.0)
            goal.trajectory.points.append(
                JointTrajectoryPoint(
                    positions=motion.position[index].tolist(),
                    velocities=motion.velocity[index].tolist(),
                    accelerations=motion.acceleration[index].tolist(),
                    time_from_start=Duration(sec=int(seconds), nanosec=int(fraction * _NS)),
                )
            )
        return goal

    def _switch_back(self) -> None:
        """Activate the Cartesian controller at the measured pose, because an older target would pull the arm away."""
        until_ns = self._clock.now_ns() + round(self._seed_s() * _NS)
        while self._clock.now_ns() < until_ns:
            pose = self._link.pose()
            self._link.command(pose, pose)
            self._clock.sleep_until(self._clock.now_ns() + self._period_ns)
        self._switch(self._profile.deactivate, self._profile.activate)
        pose = self._link.pose()
        self._link.command(pose, pose)
        self._is_away = False

    def _seed_s(self) -> float:
        """Return the time [s] that the target of the watchdog, lagging and limited in speed, needs to reach the arm."""
        lag, limits = self._link.profile.watchdog, self._limits
        way_s = max(lag.max_jump_m / limits.linear.speed, lag.max_jump_rad / limits.angular.speed)
        return _SEED_S + _SEED_SHARE * way_s

    def _switch(self, activate: tuple[str, ...], deactivate: tuple[str, ...]) -> None:
        """Switch controllers, and check the resulting states."""
        request = self._switch_type.Request(
            activate_controllers=list(activate),
            deactivate_controllers=list(deactivate),
            # A controller that is already in the requested state is no failure, as after an interrupted motion.
            strictness=self._switch_type.Request.BEST_EFFORT,
            activate_asap=True,
            timeout=Duration(sec=int(_CALL_S)),
        )
        answer = call(self._node, self._switch_type, "controller_manager/switch_controller", request, 2 * _CALL_S)
        objection = self._objection(activate, deactivate)
        if objection:
            reason = answer.message or "look at the log of the controller manager"
            raise RobotError(f"homing: {objection}; {reason}")

    def _objection(self, active: tuple[str, ...], inactive: tuple[str, ...]) -> str:
        """Return a line about the first controller in a wrong state; "" if there is none."""
        request = self._list_type.Request()
        listed = call(self._node, self._list_type, "controller_manager/list_controllers", request, _CALL_S)
        states = {str(found.name): str(found.state) for found in listed.controller}
        for name in active:
            if states.get(name) != "active":
                return f"expected the controller {name} active, found {states.get(name, 'not loaded')}"
        found = [name for name in inactive if states.get(name) == "active"]
        return f"expected the controller {found[0]} inactive, found active" if found else ""


def rates_of(profile: HomingProfile) -> RateLimits:
    """Return the rate limits of each joint for the motion."""
    return RateLimits(profile.max_velocity_rad_s, profile.max_acceleration_rad_s2, profile.max_jerk_rad_s3)


def _import_types() -> tuple[Any, Any, Any]:
    try:
        from control_msgs.action import FollowJointTrajectory
    except ImportError:
        raise _missing("control_msgs", "control-msgs") from None
    try:
        from controller_manager_msgs.srv import ListControllers, SwitchController
    except ImportError:
        raise _missing("controller_manager_msgs", "controller-manager-msgs") from None
    return FollowJointTrajectory, SwitchController, ListControllers


def _missing(package: str, apt: str) -> ImportError:
    distribution = os.environ.get("ROS_DISTRO", "jazzy")
    return ImportError(
        f"robot.profile.homing needs the package {package}, which is not installed; "
        f"sudo apt-get install ros-{distribution}-{apt}"
    )
