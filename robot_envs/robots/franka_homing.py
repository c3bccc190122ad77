"""Joint-space homing of a Franka arm over FCI, under the watch of the limits of the cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyhand.robot_envs.robot import MayGoOn, RobotError, RobotState
from steadyhand.robot_envs.robots.franka_follower import Follower
from steadyhand.robot_envs.robots.franka_link import described
from steadyhand.robot_envs.robots.franka_settings import FrankaConfig, JointHomingConfig
from steadyhand.robot_envs.safety.homing_watch import HomingWatch, require_joint_limits
from steadyhand.robot_envs.safety.joint_motion import plan_joint_motion
from steadyhand.runtime.clock import Clock
from steadyhand.runtime.logging import get_logger

__all__ = ["FrankaHoming"]

logger = get_logger("robot")

_NS = 1_000_000_000
_SPARE_S = 5.0  # margin beyond the duration of the motion
_STOP_S = 3.0  # limit of a stop
_POINT_S = 0.05  # time between two points of the plan, which only bounds the duration
_CHECK_NS = _NS // 50  # time between two checks


class FrankaHoming:
    """Homing motion of the joints, planned by franky within the velocity, acceleration and jerk that are set.

    Args:
        config: Settings of the arm.
        homing: Settings of the motion.
        follower: The arm.
        clock: The clock of the readings.

    Raises:
        ConfigError: The home position or its speed breaks the joints' limits.
    """

    def __init__(self, config: FrankaConfig, homing: JointHomingConfig, follower: Follower, clock: Clock) -> None:
        self._config, self._homing, self._follower, self._clock = config, homing, follower, clock
        self._home = np.asarray(homing.position_rad, np.float64)
        if config.limits.joints is not None:
            require_joint_limits(self._home, homing.rates, config.limits.joints)
        self._episodes = 0

    def go(self, read: Callable[[], RobotState], may_go_on: MayGoOn) -> bool:
        """Home the arm if that is due.

        Args:
            read: Returns the state of the arm.
            may_go_on: Returns whether motion is allowed.

        Returns:
            Whether the reset may continue; False if motion is no longer allowed.

        Raises:
            RobotError: A limit was broken, or the arm has not reached home; the line says which.
        """
        start = read()
        if not may_go_on(start):
            return False
        is_due = self._episodes % self._homing.every_episodes == 0
        self._episodes += 1
        if not is_due or self._away_rad(start) <= self._homing.tolerance_rad:
            return True
        self._follower.release()
        try:
            has_arrived = self._move(read, may_go_on, start)
        finally:
            self._follower.lead_again()
        if not has_arrived:
            self._episodes -= 1
            return False
        away_rad = self._away_rad(read())
        if away_rad > self._homing.tolerance_rad:
            raise RobotError(
                f"homing: expected every joint within {self._homing.tolerance_rad} rad of home, found one "
                f"{away_rad:.3f} rad away; look what holds it"
            )
        return True

    def _away_rad(self, state: RobotState) -> float:
        return float(np.abs(state.joint_position[0] - self._home).max())

    def _move(self, read: Callable[[], RobotState], may_go_on: MayGoOn, start: RobotState) -> bool:
        import franky

        rates, follower, n_joints = self._homing.rates, self._follower, len(self._home)
        watch = HomingWatch(self._config.limits, self._config.watchdog, start)
        plan = plan_joint_motion(start.joint_position[0], self._home, rates, _POINT_S)
        until_ns = self._clock.now_ns() + round((plan.duration_s + _SPARE_S) * _NS)
        is_over = False
        try:
            follower.robot.joint_velocity_limit.set([rates.speed] * n_joints)
            follower.robot.joint_acceleration_limit.set([rates.acceleration] * n_joints)
            follower.robot.joint_jerk_limit.set([rates.jerk] * n_joints)
            follower.robot.move(franky.JointMotion(self._home), asynchronous=True)
            while not (is_over := follower.robot.poll_motion()):
                state = read()
                if not may_go_on(state):
                    return False
                watch.require_limits(state, self._clock.now_ns())
                if self._clock.now_ns() > until_ns:
                    raise RobotError(
                        f"homing: expected its end within {plan.duration_s:.1f} s, found none {_SPARE_S} s later; "
                        "look what holds the arm"
                    )
                self._clock.sleep_until(self._clock.now_ns() + _CHECK_NS)
        except RobotError:
            raise
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            is_over = True
            raise RobotError(f"homing: {described(error)}") from None
        finally:
            if not is_over:
                self._brake()
        return True

    def _brake(self) -> None:
        """End a running joint motion as fast as its limits allow."""
        import franky

        try:
            self._follower.robot.move(franky.JointStopMotion(), asynchronous=True)
            self._follower.robot.join_motion(_STOP_S)
        except Exception as error:  # franky and Poco raise a dozen types without a common base
            logger.warning("homing: the arm has not been stopped by this program: %s", described(error))
