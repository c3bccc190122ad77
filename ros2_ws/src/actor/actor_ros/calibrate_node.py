"""A step of `steadyhand calibrate` for an arm behind ROS 2: `ros2 run actor calibrate_node <step> [options] ...`.

The step is the one of the command line, with the topics of the arm in place of a robot of its own process. The watchdog
stays between both, and nothing moves before the operator's `actor/enable`. The actor node must not run beside it: the
watchdog holds while two nodes publish commands.
"""

from __future__ import annotations

import argparse
import inspect
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args

from actor_ros.hardware import RosHardware
from actor_ros.operator_requests import OperatorRequests, Stoppable
from actor_ros.operator_services import serve_requests
from actor_ros.parameters import NO_LIMITS, has_own_limits
from steadyhand import cli
from steadyhand.actor.events import Events
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.calibrate.picture_source import WHOLE, whole_view
from steadyhand.robot_envs.hardware import Hardware, is_behind_ros
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.runtime.build import build
from steadyhand.runtime.calibration_file import CalibrationError
from steadyhand.runtime.calibration_settings import CalibrationSettings
from steadyhand.runtime.config import compose
from steadyhand.runtime.leave import leave
from steadyhand.terminal import say

__all__ = ["CalibrateNode", "cell_config", "main", "run_step"]

WHOLE_PICTURES = ("collect", "reference", "check")  # steps that use the camera's whole picture
MEASURES_LIMITS = "workspace"
SPEEDS = ("max_speed_m_s", "max_tcp_speed_m_s"), ("max_angular_speed_rad_s", "max_tcp_angular_speed_rad_s")
POLL_S = 0.05
JOIN_S = 1.0


class CalibrateNode(Node):
    """The topics of one arm for a step of a calibration, with the operator's services.

    Args:
        config: The configuration of the cell, as `cell_config` returns it.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__("calibrate")
        events = Events()
        self.motion = MotionEnable(events)
        self.cell = RosHardware(self, config, lambda: self.motion.enabled, self.motion.fault)
        self.work: _StepWork | None = None
        self.requests = OperatorRequests(self.cell, self.motion, lambda: self.work, events)
        serve_requests(self, self.requests, self.motion)
        self.cell.preconditions.start()

    def hardware(self) -> Hardware:
        """Return the hardware, whose motion needs the operator's enable."""
        return replace(self.cell.hardware(), permission=_Enable(self))

    def close(self) -> None:
        """Release the robot; the step has already held it."""
        self.requests.close()
        self.cell.destroy()


class _StepWork:
    """The running step, as the operator's requests see it."""

    def __init__(self, env: Stoppable) -> None:
        self.env = env


class _Arm:
    """The arm of a step, for stops."""

    def __init__(self, stop: Callable[[StopReason], None]) -> None:
        self.stop = stop


class _Enable:
    """The permission to move by `actor/enable`."""

    def __init__(self, node: CalibrateNode) -> None:
        self._node = node

    @property
    def given(self) -> bool:
        return self._node.motion.enabled

    def open(self, stop: Callable[[StopReason], None]) -> None:
        self._node.work = _StepWork(_Arm(stop))

    def wait(self) -> None:
        service = self._node.resolve_service_name("actor/enable")
        say(f"motion needs actor/enable: ros2 service call {service} std_srvs/srv/SetBool '{{data: true}}'")
        while not self.given:
            threading.Event().wait(POLL_S)
        say("motion enabled")

    def request(self) -> str:
        node = self._node
        since = node.motion.disables
        return node.requests.at_the_desk(lambda: node.requests.enable(since)).result()

    def close(self) -> None:
        self._node.motion.disable(StopReason.NOT_ENABLED.value)
        self._node.work = None


def cell_config(
    step: str, options: argparse.Namespace, config: Mapping[str, Any], motion: Mapping[str, float]
) -> dict[str, Any]:
    """Return the configuration of the topics of one step: its cameras, the speeds of a calibration, and no device.

    Args:
        step: Name of the step.
        options: Its options.
        config: As `compose` returns it.
        motion: The group `calibrate.motion`, with the speeds.
    """
    safety = dict(config["safety"])
    for slow, fast in SPEEDS:
        safety[fast] = min(float(safety[fast]), float(motion[slow]))
    views = {name: _view(step, view, config) for name, view in _views(step, options, config).items()}
    nothing_in_hand = compose(["device=none"])["device"]  # the step itself connects the person's device
    return {**config, "safety": safety, "camera": {"views": views}, "sensor": {"fields": {}}, "device": nothing_in_hand}


def _views(step: str, options: argparse.Namespace, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the views that a step uses; one that does not exist is refused by the step itself."""
    views = config["camera"]["views"]
    if step in ("check", "latency"):
        return dict(views)
    name = str(getattr(options, "camera", None) or getattr(options, "view", None) or "")
    return {name: views[name]} if name in views else {}


def _view(step: str, view: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    if step in WHOLE_PICTURES:
        return whole_view(view, build(CalibrationSettings, config["calibration"], "calibration").pictures)
    return {**view, "crop": WHOLE} if step == "crop" else dict(view)


def run_step(command: Any, options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Run a step; one that moves or reads an arm behind ROS gets its topics.

    Raises:
        CalibrationError: A real arm has no limits of its own cell.
        RobotError: A source of the arm is silent.
    """
    step = command.__name__.rpartition(".")[2]
    config = compose([word for word in overrides if not word.startswith("calibrate.")])
    from_files = getattr(options, "source", None) is not None or getattr(options, "pictures", None) is not None
    if from_files or "hardware" not in inspect.signature(command.run).parameters or not is_behind_ros(config["robot"]):
        return int(command.run(options, overrides))
    is_mock = "mock_node" in config["robot"]
    if step != MEASURES_LIMITS and not is_mock and not has_own_limits(overrides, config):
        raise CalibrationError(NO_LIMITS)
    own = [override for override in overrides if override.startswith("calibrate.motion.")]
    motion = compose(["+calibrate=motion", *own])["calibrate"]["motion"]
    with _opened(cell_config(step, options, config, motion)) as node:
        return int(command.run(options, overrides, node.hardware()))


@contextmanager
def _opened(config: dict[str, Any]) -> Iterator[CalibrateNode]:
    """Open the node, with its callbacks on a thread of their own."""
    node = CalibrateNode(config)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), name="callbacks", daemon=True)
    thread.start()
    try:
        yield node
    finally:
        executor.shutdown(timeout_sec=JOIN_S)
        thread.join(JOIN_S)
        node.close()
        node.destroy_node()


def _spin(executor: SingleThreadedExecutor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def main() -> None:
    """Run one step. SIGTERM ends it as Ctrl-C does, and Ctrl-C also where the shell has it ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    status = cli.main(["calibrate", *remove_ros_args(sys.argv)[1:]], run_step)
    rclpy.try_shutdown()
    leave(status)


if __name__ == "__main__":
    main()
