"""The actor node: the core's control loop as a lifecycle node, with the operator's services."""

from __future__ import annotations

import threading

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from actor_ros import actor_parameters, diagnostics
from actor_ros.hardware import RosHardware
from actor_ros.health import report
from actor_ros.jobs import ActorJob
from actor_ros.operator_face import OperatorFace
from actor_ros.operator_requests import OperatorRequests
from actor_ros.operator_services import serve_requests
from actor_ros.parameters import NO_LIMITS, compose_config, has_own_limits
from actor_ros.publishers import Publishers
from actor_ros.replay_job import Recording, load_recording
from actor_ros.spin import run
from steadyhand.actor.events import Events, MotionDisabled, Waiting
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.supervision.motion_enable import NOT_YET, MotionEnable
from steadyhand.job import RobotJob, open_robot_job
from steadyhand.robot_envs.devices.device import DeviceError
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.runtime.config import compose
from steadyhand.runtime.leave import leave
from steadyhand.settings import compose_settings

_RETRY_S = 0.5
SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class ActorNode(LifecycleNode):
    """The node. Callbacks run on one thread, the loop on the main thread, and slow service requests on a third."""

    def __init__(self) -> None:
        super().__init__("actor")
        compose_config(self)
        self._given = actor_parameters.declare(self)
        self.events = Events()
        self.events.subscribe(MotionDisabled, self._warn_of_stop)
        self.events.subscribe(Waiting, self._log_wait)
        self.motion = MotionEnable(self.events)
        config = compose(self._given.choices)
        self._has_own_limits = has_own_limits(self._given.choices, config)
        self.cell = RosHardware(self, config, lambda: self.motion.enabled, self.motion.fault)
        self._event_topics = Publishers(self, self.events)
        self._reporter = diagnostics.Reporter(self)
        self._job: RobotJob | None = None
        self._policy: OnnxPolicy | None = None
        self._recording: Recording | None = None
        self._work: ActorJob | None = None
        self._activated = threading.Event()
        self._ending = threading.Event()  # of the work
        self._ended = threading.Event()  # of the process
        self._requests = OperatorRequests(self.cell, self.motion, lambda: self._work, self.events)
        serve_requests(self, self._requests, self.motion)
        if self.cell.device is not None:
            self.cell.device.listen(self._requests.press_button)
        self._face = OperatorFace(self._requests, self.motion, self.cell.device, self.events)
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
        self._face.close()
        self._requests.close()
        self.cell.destroy()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the job; refuse while a source is silent or a limit is not set."""
        try:
            objection = self._objection()
            if not objection:
                self._policy = OnnxPolicy.load(self._given.policy) if self._given.policy else None
                settings = compose_settings(self._given.choices)
                if self._given.recording is not None:
                    self._recording = load_recording(self._given.recording, self._given.episode, settings.composed)
                self._face.serve(settings)
                self._job = open_robot_job(self._given.choices)
        except (ValueError, RuntimeError) as error:  # errors of the configuration, the run folder and the page
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
        self._requests.forbid(StopReason.NOT_ENABLED)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the job of the run."""
        self._job = None
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and end the process."""
        self._activated.clear()
        self._ending.set()
        self._requests.forbid(StopReason.NOT_ENABLED)
        self._ended.set()
        return SUCCESS

    def _objection(self) -> str:
        """Return why the node cannot be configured; "" if it can."""
        if fault := self.cell.fault():
            return fault
        if not self.cell.is_mock and not self._has_own_limits:
            return f"{NO_LIMITS}, among the overrides of params_file"
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
            self._recording,
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

    def _warn_of_stop(self, event: MotionDisabled) -> None:
        self.get_logger().warning(f"stopped: {event.reason}")

    def _log_wait(self, event: Waiting) -> None:
        if event.reason:
            self.get_logger().info(f"waiting for {event.reason}")

    def _report(self) -> None:
        level, message, values = report(self.cell, self.motion, self._work)
        self._reporter.report(level, message, values)


def main() -> None:
    """Run the node."""
    leave(run(ActorNode))


if __name__ == "__main__":
    main()
