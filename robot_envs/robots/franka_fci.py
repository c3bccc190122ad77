"""A Franka arm without ROS: `robot=franka_fci` drives it over FCI, by the library franky."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware, RobotSetup
from steadyhand.robot_envs.robot import MayGoOn, RobotCommand, RobotError, RobotState
from steadyhand.robot_envs.robots.franka_follower import Follower
from steadyhand.robot_envs.robots.franka_hand import FrankaHand
from steadyhand.robot_envs.robots.franka_homing import FrankaHoming
from steadyhand.robot_envs.robots.franka_settings import FrankaConfig
from steadyhand.robot_envs.safety.start_motion import GainSet, StartMotion
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.clock import Clock, MonotonicClock

__all__ = ["FrankaFci", "FrankaRobot"]


class FrankaFci(RobotSetup):
    """The robot component of a Franka arm over FCI."""

    settings_type = FrankaConfig
    name = "franka_fci"

    def __init__(self, settings: FrankaConfig, scene: Mapping[str, Any]) -> None:
        self._settings = settings

    def make(self) -> Hardware:
        """Construct the robot; it connects later.

        Raises:
            ConfigError: The home position breaks the joints' limits.
            ImportError: franky is not installed.
        """
        import franky  # noqa: F401  the error comes before anything is connected

        clock = MonotonicClock()
        return Hardware(FrankaRobot(self._settings, clock), (), NotedWorkpieces(), clock, lockstep=False)


class FrankaRobot:
    """One arm, with its hand where the settings have one.

    Args:
        config: Settings of the arm.
        clock: The clock of the readings.

    Raises:
        ConfigError: The home position breaks the joints' limits.
    """

    n_arms = 1

    def __init__(self, config: FrankaConfig, clock: Clock) -> None:
        self.has_gripper = config.hand is not None
        self._config = config
        self._follower = Follower(config, clock)
        self._hand = None if config.hand is None else FrankaHand(config.host, config.hand, clock)
        self._homing = None if config.homing is None else FrankaHoming(config, config.homing, self._follower, clock)
        period_s = config.watchdog.command_period_s
        self._start = StartMotion(self, config.limits, period_s, period_s, config.settle_s, clock)
        self._connected = False
        self._tare = np.zeros(6)
        self._held: Array | None = None
        self._reported = False  # a reading has shown a fault, so that the operator has seen it before the next reset

    def connect(self) -> None:
        """Connect to arm and hand. Nothing moves.

        Raises:
            RobotError: Arm or hand is not there, or refuses a setting.
        """
        self._follower.open()
        if self._hand is not None:
            self._hand.open()
        self._connected = True

    def read(self) -> RobotState:
        """Return the newest reading; never wait for a new one."""
        self._require_connection()
        follower, hand = self._follower, self._hand
        (reading, stamp_ns), fault, silent = follower.newest, follower.fault, ""
        if follower.lost or follower.is_silent:
            silent = f"FCI of {self._config.host}: {follower.lost or 'no state'}"
        elif hand is not None and hand.is_silent:
            silent = "Franka Hand"
        self._reported = self._reported or bool(fault or silent)
        return RobotState(
            stamp_ns=stamp_ns,
            tcp_pose=reading.tcp_pose[None].copy(),
            tcp_twist=reading.tcp_twist[None].copy(),
            wrench=(reading.wrench - self._tare)[None],
            joint_position=reading.joint_position[None].copy(),
            joint_velocity=reading.joint_velocity[None].copy(),
            gripper_width=np.array([0.0 if hand is None else hand.width_m]),
            ok=np.array([not fault]),
            silent_source=silent,
            fault=fault,
            implausible=follower.implausible,
        )

    def command(self, command: RobotCommand) -> None:
        """Set the pose that the arm reaches over one control period, and the hand's opening."""
        self._require_connection()
        self.lead(command.tcp_pose[0], command.tcp_pose[0])
        if self._hand is not None:
            self._hand.ask(float(command.gripper_width[0]))

    def hold(self) -> None:
        """Make the measured pose the target until the next command or reset. An arm that was never led holds itself."""
        self._require_connection()
        if not self._follower.is_leading:
            return
        if self._held is None:
            self._held = self._follower.newest[0].tcp_pose
        # The watchdog accepts no target outside the workspace. Without commands it holds there as well.
        if self._start.is_inside(self._held):
            self._follower.command(self._held)

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Recover where the operator has seen a fault, move to a pose, come to rest there, and tare the wrench.

        Raises:
            RobotError: The pose is outside the workspace, an obstacle is in the way, or the arm stays at fault.
            TareError: The arm has arrived, but the tool is pressed or shakes.
        """
        self._require_connection()
        self._start.begin(tcp_pose[0])
        if self._reported:
            self.recover()
        if not may_go_on(self.read()):
            self.hold()
            return self.read()
        self._held = None
        if self._hand is not None:
            self._hand.ask(float(gripper_width[0]))
        homing = self._homing
        tare = self._start.run(
            tcp_pose[0], may_go_on, None if homing is None else lambda allowed: homing.go(self.read, allowed)
        )
        if tare is not None:
            self._tare = tare
        return self.read()

    def recover(self) -> None:
        """Clear a reflex, or connect again. A reset calls this after the operator's resume.

        Raises:
            RobotError: The arm is not there, or stays at fault; or `recovers_on_resume` is False.
        """
        follower = self._follower
        if not self._config.recovers_on_resume and (follower.fault or follower.lost):
            raise RobotError(f"the arm had a fault, {follower.fault or follower.lost}; start again when it is safe")
        follower.recover()
        if self._hand is not None and self._hand.is_silent:
            self._hand.open()
        self._reported = False

    def forget_pose(self) -> None:
        """Accept the next pose at any distance, because the arm may have been moved by hand."""
        self._follower.forget_pose()

    def close(self) -> None:
        """Bring the arm to rest and disconnect."""
        self._connected = False
        self._follower.close()
        if self._hand is not None:
            self._hand.close()

    def lead(self, target: Array, measured: Array) -> None:
        """Send one target pose to the watchdog. Shapes (7,), base frame."""
        self._held = None
        self._follower.command(target)

    def set_gains(self, name: GainSet) -> None:
        """Choose the gains for the policy or for resets."""
        self._follower.set_gains(name)

    def raw_wrench(self) -> Array:
        """Return the newest wrench without tare. Shape (6,), tool frame."""
        return self._follower.newest[0].wrench

    def _require_connection(self) -> None:
        if not self._connected:
            raise RobotError("the Franka arm is not connected; call connect() first")
