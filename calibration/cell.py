"""The arm of a cell for a calibration: read, and moved through a safety gate, without a task or an episode."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

import numpy as np

from steadyhand.calibration.orientation import angles_from
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.hardware import Hardware
from steadyhand.robot_envs.robot import RobotCommand, RobotState
from steadyhand.robot_envs.safety.gate import SafetyGate, StopReason
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.tare import TareError
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.ranges import expect_above

__all__ = ["Cell", "CellStopError", "MotionSettings", "cautious_limits", "slowed"]

_NS = 1_000_000_000


class CellStopError(CalibrationError):
    """A stop during a calibration; the arm holds."""


@dataclass(frozen=True)
class MotionSettings:
    """Motion between the poses of a calibration.

    Attributes:
        max_speed_m_s: Largest speed; the cell's own limit holds as well.
        max_angular_speed_rad_s: Largest angular speed; the cell's own limit holds as well.
        arrive_m: Distance to a pose that counts as arrived.
        arrive_rad: Angle to a pose that counts as arrived.
        rest_m_s: Speed below which the arm counts as at rest.
        settle_s: Time at rest before a reading.
        timeout_s: Time that a motion may take beyond its length over the speed.
    """

    max_speed_m_s: float
    max_angular_speed_rad_s: float
    arrive_m: float
    arrive_rad: float
    rest_m_s: float
    settle_s: float
    timeout_s: float

    def __post_init__(self) -> None:
        expect_above(self, 0.0, "max_speed_m_s", "max_angular_speed_rad_s", "arrive_m", "arrive_rad")
        expect_above(self, 0.0, "rest_m_s", "settle_s", "timeout_s")


def slowed(limits: SafetyLimits, motion: MotionSettings) -> SafetyLimits:
    """Return the cell's limits with the speeds of a calibration, where those are lower."""
    return replace(
        limits,
        max_tcp_speed_m_s=min(limits.max_tcp_speed_m_s, motion.max_speed_m_s),
        max_tcp_angular_speed_rad_s=min(limits.max_tcp_angular_speed_rad_s, motion.max_angular_speed_rad_s),
    )


def cautious_limits(limits: SafetyLimits, pose: Array, reach_m: tuple[float, ...], max_tilt_rad: float) -> SafetyLimits:
    """Return limits for a cell whose workspace is not measured yet: a box and a tilt around the present pose.

    Args:
        limits: Limits of force, speed and state, which stay.
        pose: Present pose of the tool, base frame. Shape (7,); [m], xyzw.
        reach_m: Half sides of the box. Shape (3,).
        max_tilt_rad: Largest angle from the present orientation.
    """
    middle, half = pose[:3], np.array(reach_m) + limits.region.radius_m
    return replace(
        limits,
        workspace_low_m=tuple(map(float, middle - half)),
        workspace_high_m=tuple(map(float, middle + half)),
        nominal_quat=tuple(map(float, pose[3:])),
        max_tilt_rad=max_tilt_rad,
        park_position_m=None,
    )


class Cell:
    """One arm and its cameras. Every command passes the gate; a stop of the gate holds the arm.

    Args:
        hardware: Robot, cameras and clock; connected by `open`.
        limits: Limits of the gate. For a workspace step they are replaced by `limit` once the pose is known.
        period_s: Time between two commands.
        motion: Motion between poses.
        only_reads: True for an arm that a person guides by hand: no command and no hold is sent until `close`.
    """

    def __init__(
        self,
        hardware: Hardware,
        limits: SafetyLimits,
        period_s: float,
        motion: MotionSettings,
        only_reads: bool = False,
    ) -> None:
        self.clock, self.cameras, self.period_s, self.motion = hardware.clock, hardware.cameras, period_s, motion
        self.robot, self._only_reads = hardware.robot, only_reads
        self._permission = hardware.permission
        self._gate = SafetyGate(limits, period_s)
        self._sending = threading.RLock()  # a stop from another thread comes before or after a command, never between
        self.state: RobotState
        self.commanded: Array  # newest command that the gate has passed. Shape (7,)

    def open(self) -> None:
        """Connect, and read the first state. Nothing moves.

        Raises:
            CalibrationError: The robot has several arms.
            RobotError, CameraError: It cannot be reached.
        """
        if self.robot.n_arms != 1:
            raise CalibrationError(f"robot: expected one arm, found {self.robot.n_arms}; calibrate one after the other")
        self.robot.connect()
        for camera in self.cameras:
            camera.connect()
        self.robot.forget_pose()
        self.state = self.robot.read()
        self.limit(self._gate.limits)
        if self._permission is not None and not self._only_reads:
            self._permission.open(self.stop)

    def close(self) -> None:
        """Hold, and close everything. An arm that needs a permission and was only read gets no command here either."""
        if self._permission is not None:
            self._permission.close()
        if self._permission is None or not self._only_reads:
            self.robot.close()
        for camera in self.cameras:
            camera.close()

    @property
    def limits(self) -> SafetyLimits:
        """Limits of the gate."""
        return self._gate.limits

    def limit(self, limits: SafetyLimits) -> None:
        """Replace the limits; a latched stop is forgotten, because nothing has moved yet."""
        self._gate = SafetyGate(limits, self.period_s)
        self._gate.begin(self.state.tcp_pose)
        self.commanded = self.state.tcp_pose[0]

    @property
    def pose(self) -> Array:
        """Measured pose of the tool, base frame. Shape (7,); [m], xyzw."""
        pose: Array = self.state.tcp_pose[0]
        return pose

    @property
    def stop_text(self) -> str:
        """Reason of the latched stop; "" without one."""
        return self._gate.stop_text

    @property
    def is_at_rest(self) -> bool:
        """True if the arm does not move."""
        return float(np.linalg.norm(self.state.tcp_twist[0, :3])) < self.motion.rest_m_s

    def stop(self, reason: StopReason) -> None:
        """Hold and latch, from any thread."""
        with self._sending:
            self._gate.stop(reason)
            self.robot.hold()

    def await_permission(self) -> None:
        """Wait for the operator's permission to move, where one is needed; the arm may be moved by hand meanwhile."""
        if self._permission is None or self._permission.given:
            return
        self._permission.wait()
        self._begin()

    def resume(self) -> None:
        """Clear the latched stop, after a person's confirmation.

        Raises:
            CellStopError: The permission to move is refused; the line says why.
        """
        if self._permission is not None and (objection := self._permission.request()):
            raise CellStopError(f"motion is not enabled: {objection}")
        self._begin()

    def _begin(self) -> None:
        self._gate.resume()
        self.robot.forget_pose()
        self.state = self.robot.read()
        self._gate.begin(self.state.tcp_pose)

    def check_inside(self) -> None:
        """Refuse to move an arm that is outside of its workspace.

        Raises:
            CalibrationError: It is.
        """
        outside, tilted = self.limits.region.excess(self.pose[:3].tolist(), self.pose[3:].tolist())
        if outside > 0.0 or tilted > 0.0:
            raise CalibrationError(
                f"safety: expected the tool inside the workspace, found it {max(outside, 0.0):.3f} m and "
                f"{max(tilted, 0.0):.2f} rad outside; move it there by hand, or run `steadyhand calibrate workspace`"
            )

    def look(self) -> RobotState:
        """Read the state, check it, and return it. A fault latches, and the arm holds."""
        if self._only_reads:
            self.state = self.robot.read()
            return self.state
        self.state = self._gate.believe(self.robot.read(), self.state)
        if self._gate.check_state(self.state, self.clock.now_ns()) is not None:
            self.robot.hold()
        return self.state

    def send(self, pose: Array, gripper_width_m: float | None = None) -> Array:
        """Send a target through the gate, and return what it passed. Shapes (7,).

        Raises:
            CellStopError: A stop is latched; the arm holds.
        """
        width = self.state.gripper_width if gripper_width_m is None else np.array([gripper_width_m])
        with self._sending:
            if self._permission is not None and not self._permission.given:
                self._gate.stop(StopReason.NOT_ENABLED)
            command = self._gate.pass_command(RobotCommand(pose[None], width), self.state)
            if command is None:
                self.robot.hold()
                raise CellStopError(f"stopped ({self.stop_text}): the arm holds; make it safe, then start again")
            self.robot.command(command)
        self.commanded = command.tcp_pose[0]
        return self.commanded

    def wait(self, duration_s: float) -> RobotState:
        """Let time pass, then read."""
        self.clock.sleep_until(self.clock.now_ns() + round(duration_s * _NS))
        return self.look()

    def step(self, pose: Array, gripper_width_m: float | None = None) -> RobotState:
        """Send a target, wait for one period, and read. Raises CellStopError after a stop."""
        self.send(pose, gripper_width_m)
        return self.wait(self.period_s)

    def move_to(self, pose: Array, gripper_width_m: float | None = None) -> RobotState:
        """Move to a pose (7,) in a straight line, and return the state at rest there.

        Raises:
            CalibrationError: The pose is outside of the workspace, or the arm does not arrive.
            CellStopError: A stop on the way.
        """
        self._check_target(pose)
        way, turn = self._distance(pose)
        longest_s = way / self.limits.max_tcp_speed_m_s + turn / self.limits.max_tcp_angular_speed_rad_s
        until_ns = self.clock.now_ns() + round((longest_s + self.motion.timeout_s) * _NS)
        calm_ns: int | None = None
        while calm_ns is None or self.clock.now_ns() - calm_ns < self.motion.settle_s * _NS:
            self.step(pose, gripper_width_m)
            way, turn = self._distance(pose)
            arrived = way <= self.motion.arrive_m and turn <= self.motion.arrive_rad and self.is_at_rest
            calm_ns = (self.clock.now_ns() if calm_ns is None else calm_ns) if arrived else None
            if calm_ns is None and self.clock.now_ns() > until_ns:
                self.robot.hold()
                raise CalibrationError(
                    f"pose {np.round(pose[:3], 3).tolist()}: expected the arm to arrive within "
                    f"{self.motion.arrive_m:g} m and {self.motion.arrive_rad:g} rad, found it {way:.4f} m and "
                    f"{turn:.3f} rad away; is something in its way, or is the controller soft?"
                )
        return self.state

    def move_to_start(self, pose: Array, gripper_width_m: float) -> RobotState:
        """Move to the start of an episode as an episode does: by the robot's own reset, which tares the wrench.

        A tool that is too heavy to be tared keeps the old tare.

        Args:
            pose: Shape (7,); [m], xyzw, base frame.
            gripper_width_m: Opening of the gripper.

        Raises:
            CalibrationError: The pose is outside of the workspace.
            CellStopError: A stop on the way; the arm holds.
        """
        self._check_target(pose)
        try:
            self.state = self.robot.reset(pose[None], np.array([gripper_width_m]), self._may_go_on)
        except TareError:
            self.state = self.robot.read()
        if self.stop_text:
            raise CellStopError(f"stopped ({self.stop_text}): the arm holds; make it safe, then start again")
        self._gate.begin(self.state.tcp_pose)
        return self.state

    def mean_wrench(self, n_readings: int) -> Array:
        """Return the mean wrench over readings at the held pose. Shape (6,); [N], [Nm], tool frame."""
        rows = []
        for _ in range(n_readings):
            self.wait(self.period_s)
            rows.append(self.state.wrench[0])
        mean: Array = np.mean(rows, axis=0)
        return mean

    def _may_go_on(self, state: RobotState) -> bool:
        return self._gate.check_state(state, self.clock.now_ns()) is None

    def _check_target(self, pose: Array) -> None:
        outside, tilted = self.limits.region.excess(pose[:3].tolist(), pose[3:].tolist())
        if outside > 1e-9 or tilted > 1e-9:
            raise CalibrationError(
                f"pose {np.round(pose[:3], 3).tolist()}: expected one inside the workspace, found it {outside:.3f} m "
                f"and {tilted:.2f} rad outside (below 0: inside); move the pose, or measure the workspace again"
            )

    def _distance(self, pose: Array) -> tuple[float, float]:
        """Return the distance [m] and angle [rad] from the measured pose to another."""
        way = float(np.linalg.norm(pose[:3] - self.pose[:3]))
        return way, min(float(angles_from(self.pose[3:], pose[None, 3:])[0]), math.pi)
