"""The thread between the control loop and libfranka: it reads the arm, and leads its impedance controller.

The impedance controller runs in libfranka's thread at 1 kHz and keeps its last target. The watchdog, which also guards
arms behind ROS 2, turns the commands of the control loop into targets within the limits of the cell.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

import numpy as np

from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.robots.franka_link import described, open_arm
from steadyhand.robot_envs.robots.franka_settings import FrankaConfig
from steadyhand.robot_envs.robots.franka_state import Reading, read_arm
from steadyhand.robot_envs.safety.command_stream import HoldReason, PoseStream
from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.robot_envs.safety.start_motion import GainSet
from steadyhand.robot_envs.safety.watchdog import Watchdog
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

if TYPE_CHECKING:
    import franky

__all__ = ["Follower"]

logger = get_logger("robot")

_NS = 1_000_000_000
_STOP_S = 3.0  # limit of a stop: franky's own ends after 2 s
_SILENT_S = 4.0  # limit until libfranka gives a silent arm up: it waits 1 s for each state
_WELL_S = 2.0  # limit until the arm is well after a recovery
_HARMLESS = (HoldReason.NO_COMMANDS, HoldReason.NOT_HEARD_YET)


class Follower:
    """Reader and leader of one arm. `open` and `recover` wait for it, `release` for its stop; the rest never waits.

    Args:
        config: Settings of the arm.
        clock: The clock of the readings.
    """

    def __init__(self, config: FrankaConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._lock = threading.RLock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._robot: franky.Robot | None = None
        self._motion: franky.CartesianImpedanceTrackingMotion | None = None
        self._gains: GainSet = "compliance"
        self._leads = True
        self._control_fault = ""
        self._newest: tuple[Reading, int]
        self.lost = ""

    def open(self) -> None:
        """Connect to the arm, and begin to read it. It moves only after a command.

        Raises:
            RobotError: There is no arm, or it refuses a setting.
        """
        self._end()
        atexit.register(self.close)  # a running controller would abort the interpreter's exit
        config = self._config
        robot = open_arm(config)
        stream = PoseStream(config.watchdog, config.limits)
        self._watchdog = Watchdog(
            stream, config.watchdog, config.limits.plausible, Freshness(config.watchdog.state_timeout_s)
        )
        self._robot, self._motion, self._leads = robot, None, True
        self.lost = self._control_fault = ""
        try:
            reading = read_arm(robot)
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            self.lost = described(error)
            raise RobotError(f"robot.host: expected a state of the arm at {config.host}, found {self.lost}") from None
        now_ns = self._clock.now_ns()
        self._newest = reading, now_ns
        self._watchdog.measured(reading.tcp_pose, reading.joint_position, now_ns)
        self._watchdog.robot_ok(not reading.fault, now_ns)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="franka", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Bring the arm to rest and disconnect."""
        atexit.unregister(self.close)
        if not self.lost and self._robot is not None:
            try:
                self.release()
            except RobotError as error:
                logger.warning("disconnected, but %s", error)
        self._end()

    @property
    def newest(self) -> tuple[Reading, int]:
        """Newest state of the arm, and its time of receipt [ns]."""
        return self._newest

    @property
    def is_silent(self) -> bool:
        """True if the newest state is too old."""
        return self._clock.now_ns() - self._newest[1] > self._config.watchdog.state_timeout_s * _NS

    @property
    def is_leading(self) -> bool:
        """True while the impedance controller runs; otherwise the arm holds by its own controller."""
        return self._motion is not None

    @property
    def fault(self) -> str:
        """Fault of the arm, of its control, or of the watchdog; "" = none."""
        reason = self._watchdog.reason
        of_watchdog = "" if reason is None or reason in _HARMLESS else f"watchdog: {reason.value}"
        return self._newest[0].fault or self._control_fault or of_watchdog

    @property
    def implausible(self) -> str:
        """Fault of implausible readings; "" = none."""
        return self._watchdog.implausible if self._watchdog.reason is HoldReason.IMPLAUSIBLE_STATE else ""

    def command(self, pose: Array) -> None:
        """Set the pose (7,), base frame, that the arm reaches over one control period."""
        with self._lock:
            self._watchdog.command(pose, self._clock.now_ns())

    def set_gains(self, name: GainSet) -> None:
        """Choose a set of gains; the controller changes to it within about 0.3 s."""
        with self._lock:
            self._gains = name
            if self._motion is not None:
                self._motion.set_gains(self._franky_gains())

    def forget_pose(self) -> None:
        """Allow motion again, from wherever the arm is now."""
        with self._lock:
            self._watchdog.rearm(self._clock.now_ns())

    def release(self) -> None:
        """End the impedance controller smoothly, for a motion of another kind by `robot`; then see `lead_again`.

        Raises:
            RobotError: The arm is not there, or does not come to rest.
        """
        import franky

        with self._lock:
            was_leading = self._motion is not None
            self._leads, self._motion = False, None
        try:
            if was_leading and self.robot.is_in_control:
                self.robot.move(franky.TorqueStopMotion(), asynchronous=True)
                self.robot.join_motion(_STOP_S)
        except RobotError:
            raise
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            raise RobotError(f"the arm does not stop: {described(error)}") from None

    @property
    def robot(self) -> franky.Robot:
        """The connection. Keep it nowhere else: franky disconnects when the last reference ends, also of a traceback.

        Raises:
            RobotError: The connection is lost or closed.
        """
        if self._robot is None or self.lost:
            raise RobotError(f"the connection to the arm is lost: {self.lost or 'it was closed'}")
        return self._robot

    def lead_again(self) -> None:
        """Lead the arm again from its measured pose, after a motion of another kind."""
        with self._lock:
            self._watchdog.rearm(self._clock.now_ns())
            self._leads = True

    def recover(self) -> None:
        """Clear a fault, or connect again after a lost connection. Only the operator's request leads here.

        Raises:
            RobotError: The arm is not there, or is still at fault; the line says what to do.
        """
        silent_ns = self._clock.now_ns() + round(_SILENT_S * _NS)
        while self.is_silent and not self.lost and self._clock.now_ns() < silent_ns:
            self._clock.sleep_until(self._clock.now_ns() + _NS // 50)
        if self.lost or self._robot is None:
            self.open()
        elif self._newest[0].fault or self._control_fault:
            try:
                self._robot.recover_from_errors()
            except Exception as error:  # franky and Poco raise a dozen types without a common base
                raise RobotError(f"error recovery: {described(error)}") from None
            self._control_fault = ""
        until_ns = self._clock.now_ns() + round(_WELL_S * _NS)
        while (fault := self._rearm()) and self._clock.now_ns() < until_ns:
            self._clock.sleep_until(self._clock.now_ns() + _NS // 50)
        if fault:
            raise RobotError(f"error recovery: expected an arm that is well, found {fault}")

    def _rearm(self) -> str:
        """Allow motion again; return the fault that forbids it."""
        with self._lock:
            reason = self._watchdog.rearm(self._clock.now_ns())
            return self.lost or self.fault or (reason.value if reason else "")

    def _run(self) -> None:
        period_ns = round(_NS / self._config.watchdog.controller_rate_hz)
        next_ns = self._clock.now_ns()
        while not self._ends.is_set():
            try:
                self._tick()
            except Exception as error:  # franky and Poco raise a dozen types without a common base
                self.lost = described(error)
                return
            now_ns = self._clock.now_ns()
            next_ns = max(next_ns + period_ns, now_ns)
            self._clock.sleep_until(next_ns)

    def _tick(self) -> None:
        assert self._robot is not None
        reading = read_arm(self._robot)
        now_ns = self._clock.now_ns()
        with self._lock:
            is_new = reading.robot_ms != self._newest[0].robot_ms
            # During control franky repeats the last state when the arm is silent: that one keeps its age.
            self._newest = (reading, now_ns if is_new else self._newest[1])
            if is_new:
                self._watchdog.measured(reading.tcp_pose, reading.joint_position, now_ns)
            self._look_at_control()
            self._watchdog.robot_ok(not (reading.fault or self._control_fault), now_ns)
            target = self._watchdog.tick(now_ns)
            if target is not None and self._leads:
                self._lead(target, reading.joint_position)

    def _look_at_control(self) -> None:
        """Note that libfranka has ended the impedance controller, and why."""
        if self._motion is None or self._robot is None or self._robot.is_in_control:
            return
        self._motion = None
        try:
            self._robot.poll_motion()
            self._control_fault = "control ended without a reason; look at the arm, then resume"
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            self._control_fault = described(error)

    def _lead(self, target: Array, joint_position: Array) -> None:
        import franky

        assert self._robot is not None
        reference = franky.CartesianReference(franky.Affine(target[:3], target[3:]))
        if self._motion is not None:
            self._motion.set_reference(reference)
            return
        impedance, joints = self._config.impedance, self._config.limits.joints
        gains = getattr(impedance, self._gains)
        self._motion = franky.CartesianImpedanceTrackingMotion(
            translational_stiffness=gains.stiffness_n_m,
            rotational_stiffness=gains.rotation_stiffness_nm_rad,
            translational_error_clip=np.full(3, impedance.reference_limit_m),
            rotational_error_clip=np.full(3, impedance.reference_limit_rad),
            posture_task=franky.PostureTask(joint_position, impedance.posture_stiffness_nm_rad),
            max_delta_tau=impedance.max_torque_step_nm,
            **({} if joints is None else {"lower_joint_limits": joints.low_rad, "upper_joint_limits": joints.high_rad}),
        )
        self._motion.set_gains(self._franky_gains())
        self._motion.set_reference(reference)
        self._robot.move(self._motion, asynchronous=True)

    def _franky_gains(self) -> franky.CartesianImpedanceGains:
        import franky

        gains = getattr(self._config.impedance, self._gains)
        return franky.CartesianImpedanceGains.isotropic(
            gains.stiffness_n_m,
            gains.rotation_stiffness_nm_rad,
            gains.damping_ns_m,
            gains.rotation_damping_nms_rad,
        )

    def _end(self) -> None:
        """End the thread and drop the connection."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)
        self._thread = self._motion = self._robot = None
