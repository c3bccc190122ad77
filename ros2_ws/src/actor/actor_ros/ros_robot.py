"""The control loop's `Robot` for an arm behind ROS 2 topics."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from actor_ros.homing import Homing
from actor_ros.robot_link import RobotLink
from steadyhand.robot_envs.difference import Difference, pose_difference
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import MayGoOn, RobotCommand, RobotError, RobotState
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.plausibility import Plausibility
from steadyhand.robot_envs.safety.start_motion import GainSet, StartMotion
from steadyhand.robot_envs.safety.tare import mean_wrench
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["RosRobot"]

_NS = 1_000_000_000
_PASSED_ON_S = 2.0  # limit until the watchdog passes a command on
_CONNECT_S = 10.0  # discovery takes up to 3.5 s
_TARE_S, _TARE_READINGS = 0.3, 10
_STEP_S = 0.02  # time between two commands of a reset: the force is judged before each
_AHEAD_S = 0.15  # time that the command may be ahead of the arm at the full speed of a reset
_JUMP_SHARE = 0.8  # share of the watchdog's largest jump that the command may be ahead

SetGains = Callable[[GainSet], None]


class RosRobot:
    """One arm. Only the actor's command topic moves it, through the watchdog.

    Args:
        link: The arm's topics.
        limits: The limits of the cell, which also apply to resets.
        control_period_s: Time between two commands.
        clock: The clock of the sources.
        set_gains: Sets one of the profile's gain sets, and reads it back. Raises RobotError.
        may_move: Returns whether the operator allows motion; called between the steps of a reset.
        homing: Joint-space motion at the start of a reset; None = no homing.
        outside_fault: Returns a fault found outside the robot, as one line; "" without one.
    """

    n_arms = 1

    def __init__(
        self,
        link: RobotLink,
        limits: SafetyLimits,
        control_period_s: float,
        clock: Clock,
        set_gains: SetGains,
        may_move: Callable[[], bool],
        homing: Homing | None = None,
        outside_fault: Callable[[], str] = lambda: "",
    ) -> None:
        self.has_gripper = link.profile.gripper is not None
        self._link, self._limits, self._period_s = link, limits, control_period_s
        self._clock, self._set_gains = clock, set_gains
        self._homing = homing
        self._outside_fault = outside_fault
        self._tare = np.zeros(6)
        self._connected = False
        jumps = link.profile.watchdog
        ahead_s = min(
            _AHEAD_S,
            _JUMP_SHARE * jumps.max_jump_m / limits.max_tcp_speed_m_s,
            _JUMP_SHARE * jumps.max_jump_rad / limits.max_tcp_angular_speed_rad_s,
        )
        self._start = StartMotion(self, limits, _STEP_S, ahead_s, link.profile.settle_s, clock, may_move)
        self._plausible = Plausibility(limits.plausible)
        self._believed: tuple[Array, int] | None = None
        self._judged_ns = -1
        self._believing = threading.Lock()
        self._held: Array | None = None
        self._speed = Difference(6, pose_difference)
        self._joint_velocity = Difference(len(link.profile.joints))

    def connect(self) -> None:
        """Wait until every source is heard.

        Raises:
            RobotError: A source is silent; the line names it.
        """
        wall = MonotonicClock()  # discovery runs in the machine's time, not a simulator's
        until_ns = wall.now_ns() + round(_CONNECT_S * _NS)
        while (objection := self._link.sources.objection()) and wall.now_ns() < until_ns:
            wall.sleep_until(wall.now_ns() + _NS // 50)
        if self._link.frame_fault:
            raise RobotError(self._link.frame_fault)
        if objection:
            raise RobotError(objection)
        self._connected = True

    def read(self) -> RobotState:
        """Return the newest readings; never wait for new ones."""
        self._require_connection()
        link, sources, topics = self._link, self._link.sources, self._link.profile.topics
        silent, watchdog = sources.silent(), link.watchdog_stop
        fault = link.frame_fault or self._outside_fault()
        pose, stamp_ns = self._measured()
        (position, reported), joints_ns = sources.reading(topics.joint_states)
        velocity = self._joint_velocity.at(position, joints_ns) if reported is None else reported
        width = sources.newest(link.profile.gripper.source) if link.profile.gripper else 0.0
        return RobotState(
            stamp_ns=stamp_ns,
            tcp_pose=pose[None].copy(),
            tcp_twist=self._twist_at(pose, stamp_ns)[None],
            wrench=(self.raw_wrench() - self._tare)[None],
            joint_position=position[None],
            joint_velocity=velocity[None],
            gripper_width=np.array([width]),
            ok=np.array([link.is_well and not watchdog and not fault]),
            silent_source=silent[0] if silent else "",
            # During a fault of the robot itself, the watchdog's stop gives no further information.
            fault=fault or (f"watchdog: {watchdog}" if link.is_well and watchdog else ""),
            implausible=self._plausible.fault if self._plausible.is_fault else "",
        )

    def command(self, command: RobotCommand) -> None:
        """Send the watchdog a target."""
        self._require_connection()
        self._held = None
        self._link.command(command.tcp_pose[0], self._pose())
        self._link.gripper(float(command.gripper_width[0]))

    def hold(self) -> None:
        """Make the measured pose the target until the next command or reset."""
        self._require_connection()
        pose = self._pose()
        held = pose if self._held is None else self._held
        self._held = held
        # The watchdog accepts no target outside the workspace. Without commands it holds there as well.
        if self._start.is_inside(held):
            self._link.command(held, pose)

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Move to a pose, first up and then straight, come to rest there, and tare the wrench.

        The reset ends early and holds if motion is no longer allowed or `may_go_on` refuses a reading.

        Raises:
            RobotError: The pose is outside the workspace, or an obstacle is in the way.
            TareError: The arm has arrived, but the tool is pressed or shakes.
        """
        self._require_connection()
        target = tcp_pose[0]
        self._start.begin(target)
        self._plausible.forget()
        self._held = None
        self._link.gripper(float(gripper_width[0]))
        tare = self._start.run(target, may_go_on, None if self._homing is None else self._home)
        if tare is not None:
            self._tare = tare
        return self.read()

    def lead(self, target: Array, measured: Array) -> None:
        """Send the watchdog one target of a reset. Shapes (7,), base frame."""
        self._link.command(target, measured)

    def set_gains(self, name: GainSet) -> None:
        """Set one of the profile's gain sets, and read it back. Raises RobotError."""
        self._set_gains(name)

    def raw_wrench(self) -> Array:
        """Return the newest wrench without tare; zero where the robot measures none. Shape (6,), tool frame."""
        topic = self._link.profile.topics.wrench
        wrench = self._link.sources.newest(topic) if topic is not None else None
        return np.zeros(6) if wrench is None else wrench

    def send_measured_pose(self) -> None:
        """Make the measured pose the controller's target, before that controller is activated.

        Raises:
            RobotError: The tool is outside the workspace, or the watchdog does not pass the target on.
        """
        if not self._start.is_inside(self._link.pose()):
            raise RobotError(
                f"the tool is outside the workspace, at {np.round(self._link.pose()[:3], 3).tolist()} m; lead it inside"
            )
        until_ns = self._clock.now_ns() + round(_PASSED_ON_S * _NS)
        while self._clock.now_ns() < until_ns:
            pose = self._link.pose()
            self._link.command(pose, pose)
            self._clock.sleep_until(self._clock.now_ns() + round(self._period_s * _NS))
            if self._link.is_passing:
                return
        raise RobotError(f"the watchdog does not pass the measured pose on: {self._link.watchdog_stop or 'no answer'}")

    def forget_pose(self) -> None:
        """Accept the next valid pose at any distance, because the arm may have been moved by hand."""
        with self._believing:
            self._plausible.forget()

    def tare(self) -> None:
        """Take the mean of the currently measured wrench as zero, with the arm at rest.

        Raises:
            TareError: The tool is pressed or shakes; the old tare stays.
        """
        wrenches = []
        for _ in range(_TARE_READINGS):
            wrenches.append(self.raw_wrench())
            self._clock.sleep_until(self._clock.now_ns() + round(_TARE_S / _TARE_READINGS * _NS))
        self._tare = mean_wrench(np.array(wrenches), self._limits.tare)

    def close(self) -> None:
        """Hold where the arm was moved, and take no more commands; an arm that was only read gets no target."""
        if self._connected and self._link.has_commanded:
            self.hold()
        self._connected = False

    def _home(self, may_go_on: MayGoOn) -> bool:
        assert self._homing is not None
        may_continue = self._homing.go(self.read, may_go_on)
        self._held = None  # a stop during the reset may have held a pose that the arm has left
        return may_continue

    def _pose(self) -> Array:
        """Return the newest plausible measured pose. Shape (7,)."""
        return self._measured()[0]

    def _measured(self) -> tuple[Array, int]:
        """Return the newest plausible pose, and its time of receipt [ns]."""
        with self._believing:
            pose, stamp_ns = self._link.sources.reading(self._link.profile.topics.pose)
            is_new, self._judged_ns = stamp_ns != self._judged_ns, stamp_ns
            if (is_new and self._plausible.accepts(pose, stamp_ns)) or self._believed is None:
                self._believed = (pose, stamp_ns)
            return self._believed

    def _twist_at(self, pose: Array, stamp_ns: int) -> Array:
        """Return the reported twist, else the difference quotient of the newest two poses. Shape (6,)."""
        topic = self._link.profile.topics.twist
        if topic is not None:
            reported: Array = self._link.sources.newest(topic)
            return reported
        return self._speed.at(pose, stamp_ns)

    def _require_connection(self) -> None:
        if not self._connected:
            raise RobotError("the robot is not connected; call connect() first")
