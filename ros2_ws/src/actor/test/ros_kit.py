"""What the tests over real DDS share: nodes as processes, and a node of the test's own that records what it hears."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from actor_ros import qos

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parents[2]
# Discovery takes up to 3.5 s, and a loaded machine several times as long to start a process.
PATIENCE_S = 40.0


def wait_until(condition, what, patience_s: float = PATIENCE_S):
    """Return the first true answer; polls, because answers come from other processes.

    `what` is named when none came; a function of nothing says it then.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.005)
    raise AssertionError(f"not within {patience_s} s: {what() if callable(what) else what}")


class Process:
    """A program of the package, with its output in a file."""

    def __init__(self, folder: Path, module: str, *arguments: str, name: str = "") -> None:
        self.log = folder / f"{name or module}.log"
        given = filter(None, [os.environ.get("PYTHONPATH")])
        path = os.pathsep.join([str(PACKAGE), str(PACKAGE / "test"), str(ROOT), *given])
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": path},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, patience_s: float = 10.0) -> int:
        return self._process.wait(patience_s)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        """End it, by force if it must be."""
        if self.is_running():
            self.signal(signal.SIGINT)
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.wait()


def node_arguments(namespace: str = "/", **parameters: str) -> list[str]:
    """The arguments of a node's process."""
    given = [f"{name}:={value}" for name, value in parameters.items()]
    return ["--ros-args", "-r", f"__ns:={namespace}", *[part for entry in given for part in ("-p", entry)]]


class Probe:
    """A node of the test, spun by a thread; records every message with its receive time."""

    def __init__(self, name: str = "probe", namespace: str = "/") -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = Node(name, namespace=namespace, context=self.context)
        self.heard: dict[str, list[tuple[float, object]]] = defaultdict(list)
        self._publishers = {}
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def close(self) -> None:
        self._executor.shutdown(1.0)
        self._thread.join(5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)

    def listen(self, topic: str, message_type, quality: str = "sensor", key: str = "") -> None:
        heard = self.heard[key or topic]
        self.node.create_subscription(
            message_type, topic, lambda message: heard.append((time.monotonic(), message)), qos.profile(quality)
        )

    def last(self, topic: str):
        """The newest message of a topic, waiting for the first."""
        return wait_until(lambda: self.heard[topic], f"a message on {topic}")[-1][1]

    def next(self, topic: str, condition=lambda _: True, patience_s: float = PATIENCE_S, since: int | None = None):
        """The first message that fulfils a condition, from now on or from the `since`-th that was heard."""
        start = len(self.heard[topic]) if since is None else since
        return wait_until(
            lambda: next((m for _, m in self.heard[topic][start:] if condition(m)), None), f"on {topic}", patience_s
        )

    def publisher(self, topic: str, message_type, quality: str = "command"):
        """A publisher that has found a subscriber."""
        if topic not in self._publishers:
            self._publishers[topic] = self.node.create_publisher(message_type, topic, qos.profile(quality))
        publisher = self._publishers[topic]
        wait_until(publisher.get_subscription_count, f"a subscriber of {topic}")
        return publisher

    def forget(self, topic: str) -> None:
        self.node.destroy_publisher(self._publishers.pop(topic))

    def call(self, service_type, name: str, request=None, patience_s: float = PATIENCE_S):
        client = self.node.create_client(service_type, name)
        try:
            assert client.wait_for_service(timeout_sec=patience_s), f"nobody serves {name}"
            future = client.call_async(request or service_type.Request())
            wait_until(future.done, f"an answer of {name}", patience_s)
            return future.result()
        finally:
            self.node.destroy_client(client)
