"""The watchdog node: the only publisher to the controller, in its own small process.

`robot_envs.safety.watchdog` makes the decisions; this module has the topics, the loop, and the reports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64, String
from std_srvs.srv import Trigger

from actor_ros import conversions, diagnostics, qos
from actor_ros.conversions import MessageError
from actor_ros.fault_source import subscribe_fault
from actor_ros.frame_check import FrameCheck
from actor_ros.gripper import Gripper
from actor_ros.homing_guard import HomingGuard
from actor_ros.latest import Latest
from actor_ros.parameters import compose_config, declare_settings, robot_config
from actor_ros.spin import run
from steadyhand.actor.schedule import Schedule
from steadyhand.robot_envs.frames import Array
from steadyhand.robot_envs.profile import ControllerProfile
from steadyhand.robot_envs.safety.command_stream import (
    LATCHING,
    CommandStream,
    HoldReason,
    JointStream,
    PoseStream,
    TwistStream,
)
from steadyhand.robot_envs.safety.freshness import Freshness
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.robot_envs.safety.watchdog import Watchdog
from steadyhand.robot_envs.safety.watchdog_settings import WatchdogSettings
from steadyhand.runtime.build import ConfigError, build
from steadyhand.runtime.clock import MonotonicClock
from steadyhand.runtime.leave import leave

_NS = 1_000_000_000
_REPORT_NS = _NS
_GRAPH_NS = _NS // 10
_MESSAGES = {"pose": PoseStamped, "twist": TwistStamped, "joint": JointState}


class WatchdogNode(Node):
    """The node with the topics of one `Watchdog`. Callbacks and loop use two threads, so each access takes the lock."""

    def __init__(self) -> None:
        super().__init__("watchdog")
        config = compose_config(self)
        self._profile = robot_config(config).profile
        self._settings = declare_settings(self, "watchdog", self._profile.watchdog)
        limits = build(SafetyLimits, config["safety"], "safety")
        fault = self._profile.fault
        self._watchdog = Watchdog(
            make_stream(self._profile, self._settings, limits),
            self._settings,
            limits.plausible,
            Freshness(fault.max_age_s) if fault else None,
        )
        self._lock = threading.Lock()
        self._monotonic = MonotonicClock()
        # Only the joint stream uses joint positions, and it waits for the first reading.
        unseen = np.nan if self._profile.command_mode == "joint" else 0.0
        self._joints = np.full(len(self._profile.joints), unseen)
        self._frames = FrameCheck(self, self._profile)
        self._others: list[str] = []
        self._shown: str | None = None
        self._passed, self._received = 0, 0
        self._connect()

    def work(self, stop: threading.Event) -> None:
        """Tick at the controller's rate; after an overrun the schedule restarts instead of catching up."""
        now = self._monotonic.now_ns()
        schedule = Schedule(self._settings.controller_rate_hz, now)
        next_graph, next_report = now, now + _REPORT_NS
        while not stop.is_set():
            self._monotonic.sleep_until(schedule.due_ns)
            now = self._monotonic.now_ns()
            schedule.begin(now)
            self._tick(now)
            if now >= next_graph:
                self._look_for_others(now)
                next_graph = now + _GRAPH_NS
            if now >= next_report:
                self._report(schedule)
                next_report = now + _REPORT_NS

    def close(self) -> None:
        """Do nothing: the controller keeps its last target, or stops by its own time limit."""
        if self._gripper is not None:
            self._gripper.close()

    def _connect(self) -> None:
        profile, topics = self._profile, self._profile.topics
        message = _MESSAGES[profile.command_mode]
        command = qos.profile("command")
        self._targets = self.create_publisher(message, topics.command, command)
        self._gripper = None
        if profile.gripper is not None:
            self._gripper = Gripper(self, profile.gripper)
            self.create_subscription(Float64, "actor/gripper_command", self._on_gripper, command)
        homing = profile.homing
        self._homing = HomingGuard(self, homing, self._settings.command_timeout_s) if homing else None
        self._stop_reason = self.create_publisher(String, "watchdog/stop_reason", qos.profile("latched"))
        self._reporter = diagnostics.Reporter(self)
        self.create_subscription(message, "actor/command", self._on_command, command)
        self._pose = Latest(self, PoseStamped, topics.pose, self._monotonic)
        self._joint_states = None
        if profile.command_mode == "joint":
            self._joint_states = Latest(
                self, JointState, topics.joint_states, self._monotonic, containing=profile.joints[0]
            )
        self._look_at_fault: Callable[[], None] = _nothing
        if profile.fault is not None:
            self._look_at_fault = subscribe_fault(self, profile.fault, self._monotonic, self._on_fault)
        self.create_service(Trigger, "watchdog/rearm", self._on_rearm)
        self._show(self._watchdog.reason)

    def _tick(self, now: int) -> None:
        self._take_in_state()
        with self._lock:
            target = self._watchdog.tick(now)
            reason = self._watchdog.reason
        if target is not None:
            self._targets.publish(self._message(target))
            self._passed += reason is None
        if self._gripper is not None:
            self._gripper.tick(now, may_move=reason is None)
        if self._homing is not None:
            self._homing.tick(now, is_stopped=reason in LATCHING)
        self._show(reason)

    def _message(self, target: Array) -> Any:
        stamp, frame = self.get_clock().now().to_msg(), self._profile.base_frame
        if self._profile.command_mode == "pose":
            return conversions.pose_from_array(target, frame, stamp)
        if self._profile.command_mode == "twist":
            return conversions.twist_from_array(target, frame, stamp)
        return conversions.joints_from_arrays(self._profile.joints, target, None, stamp)

    def _on_command(self, message: Any) -> None:
        now = self._monotonic.now_ns()
        self._received += 1
        mode, frame = self._profile.command_mode, self._profile.base_frame
        with self._lock:
            if mode != "joint" and message.header.frame_id != frame:
                self._watchdog.refuse(HoldReason.WRONG_FRAME)
                return
            try:
                if mode == "pose":
                    command = conversions.pose_to_array(message.pose)
                elif mode == "twist":
                    command = conversions.twist_to_array(message)
                else:
                    command = conversions.joints_to_arrays(message, self._profile.joints)[0]
            except MessageError:
                self._watchdog.refuse(HoldReason.NON_FINITE_COMMAND)
                return
            self._watchdog.command(command, now)

    def _on_gripper(self, message: Float64) -> None:
        with self._lock:
            width = self._watchdog.gripper(float(message.data), self._monotonic.now_ns())
        if width is not None and self._gripper is not None:
            self._gripper.ask(width)

    def _take_in_state(self) -> None:
        """Decode the newest state and fault report once per tick, at any rate of arrival."""
        self._look_at_fault()
        if self._joint_states is not None and (taken := self._joint_states.take()) is not None:
            self._on_joints(taken[0])
        if (taken := self._pose.take()) is not None:
            self._on_pose(*taken)

    def _on_pose(self, message: PoseStamped, received_ns: int) -> None:
        if not self._frames.fits(self._profile.topics.pose, str(message.header.frame_id)):
            with self._lock:
                self._watchdog.refuse(HoldReason.WRONG_FRAME)
            return
        try:
            pose = self._profile.frames.to_base(conversions.pose_to_array(message.pose))
        except MessageError:
            return  # the pose counts as not heard
        with self._lock:
            self._watchdog.measured(pose, self._joints, received_ns)

    def _on_joints(self, message: JointState) -> None:
        try:
            self._joints = conversions.joints_to_arrays(message, self._profile.joints)[0]
        except MessageError:
            self._joints = np.full(len(self._profile.joints), np.nan)

    def _on_fault(self, is_ok: bool, received_ns: int) -> None:
        with self._lock:
            self._watchdog.robot_ok(is_ok, received_ns)

    def _on_rearm(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            reason = self._watchdog.rearm(self._monotonic.now_ns())
        if self._gripper is not None:
            self._gripper.forget()
        response.success = reason is None
        response.message = "" if reason is None else f"still {reason.value}"
        return response

    def _look_for_others(self, now: int) -> None:
        names = [self._targets.topic_name]
        if self._gripper is not None and self._gripper.command_topic:
            names.append(self._gripper.command_topic)
        others: list[str] = []
        for name in names:
            if self.count_publishers(name) > 1:
                nodes = [_full_name(found) for found in self.get_publishers_info_by_topic(name)]
                own = self.get_fully_qualified_name()
                # Another watchdog of the same name is another publisher as well.
                others += sorted(nodes[: nodes.index(own)] + nodes[nodes.index(own) + 1 :]) if own in nodes else nodes
        if others and others != self._others:
            self.get_logger().error(f"{', '.join(others)} publishes to the controller too; stop it, then enable again")
        self._others = others
        with self._lock:
            self._watchdog.alone(not others, now)

    def _show(self, reason: HoldReason | None) -> None:
        text = reason.value if reason else ""
        if text != self._shown:
            self._shown = text
            if reason is HoldReason.IMPLAUSIBLE_STATE:
                self.get_logger().error(f"{text}: {self._watchdog.implausible}; look at the arm and its driver")
            self._stop_reason.publish(String(data=text))

    def _report(self, schedule: Schedule) -> None:
        with self._lock:
            reason, counts = self._watchdog.reason, dict(self._watchdog.counts)
        values = diagnostics.period_values(schedule.timing, schedule.missed) | {
            "stop_reason": reason.value if reason else "",
            "commands_received": str(self._received),
            "targets_passed": str(self._passed),
            "other_publishers": ", ".join(self._others),
            "gripper": self._gripper.problem if self._gripper is not None else "",
        }
        values |= {f"count.{cause.value}": str(count) for cause, count in counts.items()}
        is_idle = reason in (None, HoldReason.NO_COMMANDS)
        level = diagnostics.OK if is_idle else diagnostics.ERROR
        self._reporter.report(level, reason.value if reason else "passing commands on", values)


def make_stream(profile: ControllerProfile, settings: WatchdogSettings, limits: SafetyLimits) -> CommandStream:
    """Return the command stream of the kind that the controller takes.

    Raises:
        ConfigError: The controller takes joint positions, and the joints' limits are not given.
    """
    if profile.command_mode == "pose":
        return PoseStream(settings, limits)
    if profile.command_mode == "twist":
        return TwistStream(settings, limits)
    if limits.joints is None or len(limits.joints.low_rad) != len(profile.joints):
        raise ConfigError(
            f"safety.joints: command_mode joint needs the limits of {len(profile.joints)} joints, found "
            f"{'none' if limits.joints is None else len(limits.joints.low_rad)}; give robot.joint_limits"
        )
    return JointStream(settings, limits, limits.joints)


def _nothing() -> None:
    """Do nothing: the robot reports no faults of its own."""


def _full_name(endpoint: Any) -> str:
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"


def main() -> None:
    """Run the node."""
    leave(run(WatchdogNode))


if __name__ == "__main__":
    main()
