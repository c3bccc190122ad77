"""Small pieces that several tests of the robot's side share."""

from __future__ import annotations

import numpy as np

from steadyhand.robot_envs.make import make_env
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.plausibility import PlausibleMotion
from steadyhand.robot_envs.safety.region import Extent
from steadyhand.robot_envs.safety.tare import TareLimits
from tests.config_kit import composed

TOOL_DOWN = np.array([1.0, 0.0, 0.0, 0.0])


def make_robot_env(*overrides: str, seed: int = 0):
    return make_env(composed(*overrides), seed)


def limits(**changes) -> SafetyLimits:
    values = {
        "workspace_low_m": (0.3, -0.3, 0.01),
        "workspace_high_m": (0.7, 0.3, 0.5),
        "nominal_quat": (1.0, 0.0, 0.0, 0.0),
        "max_tilt_rad": 0.4,
        "max_tcp_speed_m_s": 0.25,
        "max_tcp_acceleration_m_s2": 5.0,
        "max_tcp_jerk_m_s3": 100.0,
        "max_tcp_angular_speed_rad_s": 1.0,
        "max_tcp_angular_acceleration_rad_s2": 20.0,
        "max_tcp_angular_jerk_rad_s3": 400.0,
        "max_force_n": 60.0,
        "max_torque_nm": 10.0,
        "max_state_age_s": 0.2,
        "extent": Extent((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        "plausible": PlausibleMotion(2.0, 8.0, 0.005, 0.05, 3),
        "tare": TareLimits(15.0, 3.0, 5.0),
    }
    return SafetyLimits(**(values | changes))


def state(n_arms: int = 1, stamp_ns: int = 0, **changes) -> RobotState:
    pose = np.tile(np.concatenate([[0.5, 0.0, 0.2], TOOL_DOWN]), (n_arms, 1))
    values = {
        "stamp_ns": stamp_ns,
        "tcp_pose": pose,
        "tcp_twist": np.zeros((n_arms, 6)),
        "wrench": np.zeros((n_arms, 6)),
        "joint_position": np.zeros((n_arms, 7)),
        "joint_velocity": np.zeros((n_arms, 7)),
        "gripper_width": np.full(n_arms, 0.02),
        "ok": np.ones(n_arms, np.bool_),
    }
    return RobotState(**(values | changes))


class StillRobot:
    """An arm that never moves and keeps the last command."""

    n_arms = 1
    has_gripper = True

    def connect(self):
        self.connected = True

    def read(self):
        return state()

    def reset(self, tcp_pose, gripper_width, may_go_on):
        return state()

    def command(self, command):
        self.commanded = command

    def hold(self):
        pass

    def close(self):
        pass


class RecordingRobot:
    """Stands between an environment and its robot and keeps every command, with the pose measured just before it."""

    def __init__(self, robot) -> None:
        self._robot = robot
        self.commands: list[RobotCommand] = []
        self.measured: list[np.ndarray] = []
        self.holds = 0

    def __getattr__(self, name):
        return getattr(self._robot, name)

    def read(self) -> RobotState:
        self._last = self._robot.read()
        return self._last

    def reset(self, tcp_pose, gripper_width, may_go_on) -> RobotState:
        self._last = self._robot.reset(tcp_pose, gripper_width, may_go_on)
        return self._last

    def command(self, command: RobotCommand) -> None:
        self.commands.append(command)
        self.measured.append(self._last.tcp_pose)
        self._robot.command(command)

    def hold(self) -> None:
        self.holds += 1
        self._robot.hold()
