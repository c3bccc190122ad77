"""The simulated operator of the demo's mock robot: enables motion, also after a stop. Never for a real robot."""

from __future__ import annotations

import contextlib
import threading

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import SetBool, Trigger

from actor_ros import qos
from actor_ros.service_calls import call
from steadyhand.robot_envs.robot import RobotError

__all__ = ["DemoOperator"]

_LOOK_S = 0.3
_CALL_S = 5.0
_JOIN_S = 2.0


class DemoOperator:
    """Operator that watches /diagnostics of actor and watchdog in one namespace, on its own threads."""

    def __init__(self, namespace: str) -> None:
        self.stops: list[str] = []
        self.watchdog: dict[str, str] = {}  # values of its newest report
        self._names = {name: f"{namespace.rstrip('/')}/{name}" for name in ("actor", "watchdog")}
        self._values: dict[str, str] = {}
        self._context = rclpy.Context()
        rclpy.init(context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node("bystander", namespace=namespace, context=self._context)
        self._node.create_subscription(DiagnosticArray, "/diagnostics", self._on_report, qos.profile("event"))
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._spin, self._look)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop watching, and end the threads."""
        self._ending.set()
        for thread in self._threads:
            thread.join(_JOIN_S)
        self._executor.shutdown(_JOIN_S)
        self._node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while not self._ending.is_set():
                self._executor.spin_once(timeout_sec=_LOOK_S)

    def _look(self) -> None:
        has_moved = False
        while not self._ending.wait(_LOOK_S):
            values, self._values = self._values, {}
            if values.get("active") != "True" or values.get("enabled") != "False":
                continue
            if has_moved:
                self.stops.append(values["stop_reason"])
            with contextlib.suppress(RobotError):
                if values["needs_recover"] == "True":
                    call(self._node, Trigger, "actor/recover", Trigger.Request(), _CALL_S)
                answer = call(self._node, SetBool, "actor/enable", SetBool.Request(data=True), _CALL_S)
                has_moved = has_moved or bool(answer.success)

    def _on_report(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            if status.name == self._names["actor"]:
                self._values = values
            elif status.name == self._names["watchdog"]:
                self.watchdog = values
