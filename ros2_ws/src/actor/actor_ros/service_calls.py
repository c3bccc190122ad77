"""Service calls with a time limit on every wait, and with failures of one line."""

from __future__ import annotations

import threading
from typing import Any
from weakref import WeakKeyDictionary

from rclpy.node import Node

from steadyhand.robot_envs.robot import RobotError

__all__ = ["call"]

_CLIENTS: WeakKeyDictionary[Node, dict[str, Any]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def call(node: Node, service_type: Any, name: str, request: Any, timeout_s: float) -> Any:
    """Call a service and wait for the answer. Another thread must spin the node.

    Raises:
        RobotError: The service has no server, or no answer came in time.
    """
    client = _client(node, service_type, name)
    if not client.wait_for_service(timeout_sec=timeout_s):
        raise RobotError(f"service {client.srv_name}: no server; start the robot's driver or correct the profile")
    answered = threading.Event()
    future = client.call_async(request)
    future.add_done_callback(lambda _: answered.set())
    if not answered.wait(timeout_s):
        client.remove_pending_request(future)
        raise RobotError(f"service {client.srv_name}: no answer within {timeout_s} s; look at the robot's driver")
    return future.result()


def _client(node: Node, service_type: Any, name: str) -> Any:
    """Return the node's client of a service, which is kept: rclpy cannot destroy one while another thread waits."""
    with _LOCK:
        clients = _CLIENTS.setdefault(node, {})
        if name not in clients:
            clients[name] = node.create_client(service_type, name)
        return clients[name]
