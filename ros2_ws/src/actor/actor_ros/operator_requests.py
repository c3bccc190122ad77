"""A person's requests to the actor: one place for the services, the operator page and the buttons of a device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from actor_ros.hardware import PASSES_ON_S, RosHardware
from steadyhand.actor.events import Events, RequestRefused
from steadyhand.actor.supervision.motion_enable import MotionEnable, Verdict
from steadyhand.actor.supervision.requests import VERDICTS
from steadyhand.robot_envs.devices.mapping import PARK, RESUME, STOP
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.logging import get_logger

__all__ = ["OperatorRequests", "Stoppable", "Work"]

RECOVER = "recover"
_NS = 1_000_000_000

logger = get_logger("ros.requests")


class Stoppable(Protocol):
    """Arm of the running work."""

    def stop(self, reason: StopReason) -> None:
        """Hold, and latch the reason, from any thread."""


class Work(Protocol):
    """Work that moves the arm: a job of the actor, or a step of a calibration."""

    @property
    def env(self) -> Stoppable | None:
        """The arm; None before it is open."""


class OperatorRequests:
    """Executes requests, from any thread. Each returns the reason of a refusal; "" if it was executed.

    `enable` and `recover` call services of the robot and take their time: they run at the desk, a thread of their own,
    one after the other. Everything else returns at once.

    Args:
        cell: The robot.
        motion: The person's enable.
        work: Returns the running job; None without one.
        events: Gets the refusals of `press`.
    """

    def __init__(
        self, cell: RosHardware, motion: MotionEnable, work: Callable[[], Work | None], events: Events
    ) -> None:
        self._cell, self._motion, self._work, self._events = cell, motion, work, events
        self._desk = ThreadPoolExecutor(1, "desk")
        self._wall = MonotonicClock()

    def close(self) -> None:
        """End the desk; requests that still wait are forgotten."""
        self._desk.shutdown(wait=False, cancel_futures=True)

    def at_the_desk(self, request: Callable[[], str]) -> Future[str]:
        """Execute a slow request on the desk's thread. Every error is an answer."""
        return self._desk.submit(_answered, request)

    def press_button(self, name: str) -> None:
        """Take a button of the person's device; its park button is the operator's own request."""
        if name != PARK:
            self.press(name)

    def press(self, name: str) -> None:
        """Take a request by its name, such as `stop` or `resume`; a refusal is logged. Never raises, never waits."""
        if name == RESUME:
            since = self._motion.disables
            self._report_later(name, lambda: self.enable(since))
        elif name == RECOVER:
            self.forbid(StopReason.NOT_ENABLED)
            self._report_later(name, self.recover)
        elif name == STOP:
            self._report(name, _answered(lambda: self.forbid(StopReason.PERSON_STOP)))
        elif name == PARK:
            self._report(name, _answered(self.park))
        elif name in VERDICTS:
            self._report(name, _answered(lambda: self.judge(VERDICTS[name])))

    def forbid(self, reason: StopReason) -> str:
        """Hold the robot, and latch the reason."""
        self._motion.disable(reason.value)
        work = self._work()
        env = None if work is None else work.env
        if env is not None:
            env.stop(reason)
        return ""

    def enable(self, since: int) -> str:
        """Make the robot follow commands, and allow motion.

        Args:
            since: `MotionEnable.disables` at the time of the request.

        Raises:
            RobotError: A step of the robot failed.
        """
        cell, motion = self._cell, self._motion
        if self._work() is None:
            return "the actor is not active; configure and activate it first"
        if fault := cell.fault():
            return fault
        if motion.needs_recover:
            return "the robot had a fault; call actor/recover first"
        if not cell.link.is_well:
            return "the robot reports a fault; call actor/recover first"
        if motion.enabled:
            return motion.enable(since)  # the steps of enabling are only for an arm at rest
        return cell.make_follow() or motion.enable(since)

    def recover(self) -> str:
        """Take the profile's recover steps after a fault, and tare. Motion still needs an enable.

        Raises:
            RobotError: A step of the robot failed.
        """
        cell = self._cell
        cell.steps.recover(cell.profile.recover)
        until_ns = self._wall.now_ns() + round(PASSES_ON_S * _NS)
        while not self._is_well() and self._wall.now_ns() < until_ns:
            self._wall.sleep_until(self._wall.now_ns() + _NS // 100)
        if not self._is_well():
            return "the steps were taken, and the robot still reports a fault; look at it"
        cell.robot.tare()
        self._motion.recovered()
        if not self._is_well():  # the fault came back meanwhile
            self._motion.fault()
            return "the robot reports a fault again; look at it"
        return ""

    def judge(self, verdict: Verdict) -> str:
        """Give the person's verdict on the running episode, or end it."""
        if self._work() is None or not self._motion.enabled:
            return "no episode is running"
        self._motion.judge(verdict)
        return ""

    def park(self) -> str:
        """Ask for a break."""
        if self._work() is None or not self._motion.enabled:
            return "nothing is going on that a break could be from"
        self._motion.park()
        return ""

    def _is_well(self) -> bool:
        return self._cell.link.is_well

    def _report_later(self, name: str, request: Callable[[], str]) -> None:
        try:
            self.at_the_desk(lambda: self._report(name, _answered(request)))
        except RuntimeError:  # the desk is closed
            logger.info("%s: the actor is ending", name)

    def _report(self, name: str, objection: str) -> str:
        if objection:
            logger.warning("%s refused: %s", name, objection)
            self._events.emit(RequestRefused(name, objection))
        return objection


def _answered(request: Callable[[], str]) -> str:
    try:
        return request()
    except RobotError as error:
        return str(error)
    except Exception as error:  # every error is an answer to the person
        return repr(error)
