"""The mock robot: a MuJoCo arm with the ``Robot`` contract, and with the noise, offsets and latency of a real one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from steadyhand.robot_envs.frames import Array, pose_compose, pose_from_vector, pose_inverse
from steadyhand.robot_envs.mock.config import MockRobotConfig
from steadyhand.robot_envs.mock.gap import GapConfig, generator
from steadyhand.robot_envs.mock.hand import MAX_GRIPPER_WIDTH_M
from steadyhand.robot_envs.mock.seen import SeenWorkpieces
from steadyhand.robot_envs.mock.world import World
from steadyhand.robot_envs.robot import MayGoOn, RobotCommand, RobotError, RobotState
from steadyhand.robot_envs.workpieces import Workpieces

__all__ = ["MockRobot"]


class MockRobot:
    """One simulated arm (``n_arms`` is 1) of a world. It is also the ``Workpieces`` of that world.

    Args:
        config: Imperfections that every simulated arm has.
        world: World of the arm.
        gap: The gap of that world, for the delay of commands and the tare; None = none.
        arm: Index of the arm in its world. Poses of the arm are in its own base frame.

    Attributes:
        seen: The workpieces as an operator sees them, with the hidden errors.
    """

    n_arms = 1
    has_gripper = True

    def __init__(self, config: MockRobotConfig, world: World, gap: GapConfig | None = None, arm: int = 0) -> None:
        self.world = world
        self._index, self._arm = arm, world.arms[arm]
        self._config = config
        self._gap = None if gap is None or gap.is_none else gap
        self._jitter = np.random.default_rng(0)
        self.seen: Workpieces = SeenWorkpieces(self, world)
        self._connected = False
        self._holds = False
        self._tare = np.zeros(6)
        self._noise = _Noise(config)

    def connect(self) -> None:
        """Allow commands: they are refused before this call, as on a real robot."""
        self._connected = True

    def close(self) -> None:
        """Hold and disconnect."""
        if self._connected:
            self.hold()
        self._connected = False

    def forget_pose(self) -> None:
        """Do nothing: a simulated pose is always plausible."""

    def begin(self, seed: int, at_home: bool = True) -> None:
        """Workpieces: forget the last episode and reseed all noise; `at_home` as in `World.begin`."""
        self.world.begin(seed, at_home)
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Reseed the arm's noise, for an episode that another arm's workpieces begin."""
        self._noise = _Noise(self._config, np.random.default_rng(seed))
        if self._gap is not None:
            self._jitter = generator(self._gap.seed, "commands", seed)

    def place(self, name: str, pose_: Array) -> None:
        """Workpieces: place a workpiece at a pose of the nominal workspace."""
        truth = self.world.hidden_truth
        self.world.place(name, pose_ if truth is None else pose_compose(truth.workspace, pose_))

    def pose_of(self, name: str) -> Array:
        """Workpieces: return the pose of a workpiece in the nominal workspace."""
        true, truth = self.world.pose_of(name), self.world.hidden_truth
        return true if truth is None else pose_compose(pose_inverse(truth.workspace), true)

    def set_position(self, name: str, position: float) -> None:
        """Workpieces: move the joint of a workpiece [m or rad]."""
        self.world.set_position(name, position)

    def position_of(self, name: str) -> float:
        """Workpieces: return the joint position of a workpiece [m or rad]."""
        return self.world.position_of(name)

    def read(self) -> RobotState:
        """Return the present state, with sensor noise."""
        self._require_connection()
        arm = self._arm
        return RobotState(
            stamp_ns=self.world.clock.now_ns(),
            tcp_pose=self._noise.pose(arm.tcp_pose())[None],
            tcp_twist=arm.tcp_twist()[None],
            wrench=self._measured_wrench()[None],
            joint_position=arm.joint_position()[None],
            joint_velocity=arm.joint_velocity()[None],
            gripper_width=np.array([arm.gripper_width()]),
            ok=np.ones(1, dtype=np.bool_),
        )

    def command(self, command: RobotCommand) -> None:
        """Set the impedance controller's target after the configured latency."""
        self._require_connection()
        self._holds = False
        target = self._noise.true_pose(command.tcp_pose[0])
        width = float(np.clip(command.gripper_width[0], 0.0, MAX_GRIPPER_WIDTH_M))

        def follow() -> None:
            self._arm.set_target(target)
            self._arm.set_gripper(width)

        self.world.after(self._command_delay_s(), follow)

    def hold(self) -> None:
        """Make the present pose the target, at once. Further holds keep that target."""
        self._require_connection()
        with self.world.commanding:
            self.world.forget_scheduled()
            if not self._holds:
                self._arm.set_target(self._arm.tcp_pose())
            self._holds = True

    def reset(self, tcp_pose: Array, gripper_width: Array, may_go_on: MayGoOn) -> RobotState:
        """Set the arm to a pose at once, let it come to rest, and tare the wrench."""
        self._require_connection()
        self._holds = False
        self.world.forget_scheduled()
        self.world.set_configuration(self._noise.true_pose(tcp_pose[0]), float(gripper_width[0]), self._index)
        self.world.settle(self._config.settle_s + (self.world.film.longest_s if self.world.film else 0.0))
        self.world.meet_clock()
        self._tare = self._arm.tcp_wrench()
        return self.read()

    def _command_delay_s(self) -> float:
        if self._gap is None:
            return self._config.command_latency_s
        late = self._gap.command
        return self._config.command_latency_s + late.latency_s + late.jitter_s * float(self._jitter.random())

    def _measured_wrench(self) -> Array:
        measured = self._noise.wrench(self._arm.tcp_wrench() - self._tare)
        if (truth := self.world.hidden_truth) is not None:
            measured[:3] += truth.tare_n
        return measured

    def _require_connection(self) -> None:
        if not self._connected:
            raise RobotError("the mock robot is not connected; call connect() first")


@dataclass
class _Noise:
    """Sensor noise and the episode's calibration offset."""

    config: MockRobotConfig
    rng: np.random.Generator | None = None
    offset: Array = field(init=False)
    bias: Array = field(init=False)

    def __post_init__(self) -> None:
        self.offset, self.bias = np.zeros(3), np.zeros(6)
        if self.rng is not None:
            self.offset = self.rng.uniform(-1.0, 1.0, 3) * self.config.pose_offset_m
            self.bias = self.rng.uniform(-1.0, 1.0, 6) * np.repeat(
                [self.config.force_bias_n, self.config.torque_bias_nm], 3
            )

    def pose(self, true: Array) -> Array:
        measured = true.copy()
        measured[:3] += self.offset
        if self.rng is None:
            return measured
        c = self.config
        error = np.concatenate([np.zeros(3), self.rng.normal(0.0, c.rotation_noise_rad, 3)])
        measured[:3] += self.rng.normal(0.0, c.position_noise_m, 3)
        return pose_compose(measured, pose_from_vector(error))

    def true_pose(self, measured: Array) -> Array:
        true = measured.copy()
        true[:3] -= self.offset
        return true

    def wrench(self, true: Array) -> Array:
        if self.rng is None:
            return true
        c = self.config
        scale = np.repeat([c.force_noise_n, c.torque_noise_nm], 3)
        measured: Array = true + self.bias + self.rng.normal(0.0, 1.0, 6) * scale
        return measured
