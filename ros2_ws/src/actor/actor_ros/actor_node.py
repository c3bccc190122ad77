"""The actor node: the core's control loop as a lifecycle node, with the operator's services."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from actor_ros import actor_parameters, diagnostics
from actor_ros.hardware import PASSES_ON_S, RosHardware
from actor_ros.health import report
from actor_ros.jobs import ActorJob
from actor_ros.parameters import compose_config
from actor_ros.publishers import Publishers
from actor_ros.spin import run
from steadyhand.actor.events import Events, MotionDisabled
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.supervision.motion_enable import NOT_YET, MotionEnable, Verdict
from steadyhand.job import RobotJob, open_robot_job
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.config import compose
from steadyhand.runtime.leave import leave

_RETRY_S = 0.5
_NS = 1_000_000_000
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class ActorNode(LifecycleNode):
    """The node. Callbacks run on one thread, the loop on the main thread, and slow service requests on a third."""

    def __init__(self) -> None:
        super().__init__("actor")
        compose_config(self)
        self._given = actor_parameters.declare(self)
        self.events = Events()
        self.events.subscribe(MotionDisabled, self._warn_of_stop)
        self.motion = MotionEnable(self.events)
        config = compose(self._given.choices)
        self._has_own_limits = any(choice.startswith("safety") for choice in self._given.choices) or any(
            file["kind"] == "workspace" for file in config["calibration"]["used"]
        )
        self.cell = RosHardware(self, config, lambda: self.motion.enabled, self.motion.fault)
        self._event_topics = Publishers(self, self.events)
        self._reporter = diagnostics.Reporter(self)
        self._job: RobotJob | None = None
        self._policy: OnnxPolicy | None = None
        self._work: ActorJob | None = None
        self._activated = threading.Event()
        self._ending = threading.Event()  # of the work
        self._ended = threading.Event()  # of the process
        self._desk = ThreadPoolExecutor(1, "desk")
        self._wall = MonotonicClock()
        self._serve()
        self.cell.preconditions.start()
        self.create_timer(1.0, self._report)

    def work(self, stop: threading.Event) -> None:
        """Run a job after each activation of the node, until `stop` is set."""
        self._ended = stop
        if self._given.autostart:
            self._bring_up()
        while not stop.is_set():
            if self._activated.wait(0.05) and not stop.is_set():
                self._work_once()
        self._ending.set()

    def close(self) -> None:
        """Release the robot; the loop has already held it."""
        self._desk.shutdown(wait=False, cancel_futures=True)
        self.cell.destroy()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the job; refuse while a source is silent or a limit is not set."""
        try:
            objection = self._objection()
            if not objection:
                self._policy = OnnxPolicy.load(self._given.policy) if self._given.policy else None
                self._job = open_robot_job(self._given.choices)
        except (ValueError, RuntimeError) as error:  # errors of the configuration and of the run folder
            objection = str(error)
        if objection:
            self.get_logger().error(f"cannot be configured: {objection}")
            return FAILURE
        return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the job. Motion still needs the operator's actor/enable."""
        if self._work is not None:
            self.get_logger().error("cannot be activated: the last work has not ended yet; try again")
            return FAILURE
        self._ending = threading.Event()
        self.motion.disable(NOT_YET)
        self._activated.set()
        self.get_logger().info("ready; motion needs actor/enable: ros2 service call actor/enable ... '{data: true}'")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and end the job."""
        self._activated.clear()
        self._ending.set()
        self._stop(StopReason.NOT_ENABLED)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the job of the run."""
        self._job = None
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and end the process."""
        self._activated.clear()
        self._ending.set()
        self._stop(StopReason.NOT_ENABLED)
        self._ended.set()
        return SUCCESS

    def _objection(self) -> str:
        """Return why the node cannot be configured; "" if it can."""
        if fault := self.cell.fault():
            return fault
        if not self.cell.is_mock and not self._has_own_limits:
            return (
                "no limits are set for this cell; measure it with steadyhand calibrate workspace, and give the file, "
                "or safety=..., among the overrides of params_file"
            )
        return ""

    def _bring_up(self) -> None:
        """Configure and activate as soon as all sources are heard."""
        waited_for = ""
        while not self._ended.wait(_RETRY_S):
            fault = self.cell.fault()
            if fault and fault != waited_for:
                self.get_logger().info(f"waiting: {fault}")
            waited_for = fault
            if not fault:
                if self.trigger_configure() == SUCCESS:
                    self.trigger_activate()
                return

    def _work_once(self) -> None:
        self._activated.clear()
        job, ending = self._job, self._ending
        if job is None:
            return
        self._work = ActorJob(
            job,
            self._given.work,
            self.cell,
            self.motion,
            self.events,
            lambda: ending.is_set() or self._ended.is_set(),
            self._policy,
        )
        try:
            self.get_logger().info(f"{self._given.work} ended: {self._work.run()}")
        except (RobotError, DeviceError, RuntimeError, ValueError, TimeoutError) as error:
            self.get_logger().error(f"{self._given.work} ended: {error}")
        finally:
            self._work = None
            self.motion.disable("nothing is to be done")
            if not ending.is_set() and not self._ended.is_set():
                self.trigger_deactivate()
            if self._given.once:
                self._ended.set()

    def _stop(self, reason: StopReason) -> None:
        self.motion.disable(reason.value)
        work = self._work
        if work is not None and work.env is not None:
            work.env.stop(reason)

    def _serve(self) -> None:
        group = ReentrantCallbackGroup()

        def serve(
            name: str, service_type: Any, answer: Callable[[Any], str], later: Callable[[Any, int], str] | None = None
        ) -> None:
            """Answer with success if `answer`, and then `later`, which may be slow, return no objection.

            `later` also gets the count `disables` of the motion enable at the time of the request.
            """

            def at_once(request: Any, response: Any) -> Any:
                return _filled(response, answer(request))

            async def in_time(request: Any, response: Any) -> Any:
                since, reason = self.motion.disables, answer(request)
                if later is not None and not reason:
                    reason = await self._at_the_desk(partial(later, request, since))
                return _filled(response, reason)

            callback = at_once if later is None else in_time
            self.create_service(service_type, f"actor/{name}", callback, callback_group=group)

        serve(
            "enable",
            SetBool,
            lambda request: "" if request.data else self._forbid(StopReason.NOT_ENABLED),
            self._enable,
        )
        serve("recover", Trigger, lambda _: self._forbid(StopReason.NOT_ENABLED), lambda *_: self._recover())
        serve("stop", Trigger, lambda _: self._forbid(StopReason.PERSON_STOP))
        serve("park", Trigger, lambda _: self._park())
        verdicts: tuple[Verdict, ...] = ("success", "failure", "reset")
        for verdict in verdicts:
            serve(verdict, Trigger, partial(self._judge, verdict))

    def _at_the_desk(self, answer: Callable[[], str]) -> Awaitable[str]:
        """Compute the answer on another thread, so that this thread continues with callbacks."""
        future = Future(executor=self.executor)

        def work() -> None:
            try:
                future.set_result(answer())
            except RobotError as error:
                future.set_result(str(error))
            except Exception as error:  # every error is an answer to the caller of the service
                future.set_result(repr(error))

        self._desk.submit(work)
        return future  # type: ignore[no-any-return]  # rclpy has no types

    def _forbid(self, reason: StopReason) -> str:
        self._stop(reason)
        return ""

    def _enable(self, request: Any, since: int) -> str:
        if not request.data:
            return ""
        if self._work is None:
            return "the actor is not active; configure and activate it first"
        if fault := self.cell.fault():
            return fault
        if self.motion.needs_recover:
            return "the robot had a fault; call actor/recover first"
        if not self.cell.link.is_well:
            return "the robot reports a fault; call actor/recover first"
        if self.motion.enabled:
            return ""  # the steps of enabling are only for an arm at rest
        return self.cell.make_follow() or self.motion.enable(since)

    def _recover(self) -> str:
        self.cell.steps.recover(self.cell.profile.recover)
        until_ns = self._wall.now_ns() + round(PASSES_ON_S * _NS)
        while not self._is_well() and self._wall.now_ns() < until_ns:
            self._wall.sleep_until(self._wall.now_ns() + _NS // 100)
        if not self._is_well():
            return "the steps were taken, and the robot still reports a fault; look at it"
        self.cell.robot.tare()
        self.motion.recovered()
        if not self._is_well():  # the fault came back meanwhile
            self.motion.fault()
            return "the robot reports a fault again; look at it"
        return ""

    def _is_well(self) -> bool:
        return self.cell.link.is_well

    def _judge(self, verdict: Verdict, request: Any) -> str:
        if self._work is None or not self.motion.enabled:
            return "no episode is running"
        self.motion.judge(verdict)
        return ""

    def _park(self) -> str:
        if self._work is None or not self.motion.enabled:
            return "nothing is going on that a break could be from"
        self.motion.park()
        return ""

    def _warn_of_stop(self, event: MotionDisabled) -> None:
        self.get_logger().warning(f"stopped: {event.reason}")

    def _report(self) -> None:
        level, message, values = report(self.cell, self.motion, self._work)
        self._reporter.report(level, message, values)


def _filled(response: Any, objection: str) -> Any:
    response.success, response.message = not objection, objection
    return response


def main() -> None:
    """Run the node."""
    leave(run(ActorNode))


if __name__ == "__main__":
    main()
