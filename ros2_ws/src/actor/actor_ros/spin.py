"""Run and shutdown of the package's nodes: callbacks on a thread, the loop on the main thread, status 0 on a signal."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from steadyhand.actor.stop_flag import StopFlag
from steadyhand.robot_envs.robot import RobotError
from steadyhand.runtime.build import ConfigError

__all__ = ["LoopNode", "run"]

_JOIN_S = 1.0
END_WITHIN_S = 2.5  # after the first signal; the launch file kills remaining processes at 3 s
EXIT_BROKEN, EXIT_UNUSABLE = 1, 2


class LoopNode(Protocol):
    """A node with its own loop. Callbacks and `work` run on different threads."""

    def work(self, stop: threading.Event) -> None:
        """Loop until `stop` is set."""

    def close(self) -> None:
        """Hold, and release all resources; called once, after the last callback."""

    def destroy_node(self) -> None:
        """Destroy the node, as in rclpy."""


def run(make_node: Callable[[], Any], args: list[str] | None = None) -> int:
    """Run a node until SIGINT or SIGTERM. A second signal has no effect, so that it cannot interrupt the shutdown.

    A node that has not ended END_WITHIN_S after the first signal is ended by force, with a line. That is safe: records
    are on disk, and the watchdog holds when commands stop.

    Returns:
        The exit status: 0; 1 if a callback failed; 2 if the configuration or the robot cannot be used.
    """
    stop, asked = threading.Event(), StopFlag()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler that takes a lock, such as an event's, could deadlock when a second signal interrupts it.
        signal.signal(number, lambda *_: asked.set())
    _end_by_force()
    rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node: LoopNode = make_node()
    except (ConfigError, RobotError, ImportError) as error:
        print(f"steadyhand: {error}", file=sys.stderr)  # noqa: T201  logging may not work yet
        rclpy.try_shutdown()
        return EXIT_UNUSABLE
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    failures: list[BaseException] = []
    thread = threading.Thread(target=_spin, args=(executor, stop, asked, failures), name="callbacks", daemon=True)
    thread.start()
    try:
        node.work(stop)
    finally:
        # The executor must keep its handles while the thread still waits for them.
        stop.set()
        thread.join(_JOIN_S)
        executor.shutdown(timeout_sec=_JOIN_S)
        node.close()
        node.destroy_node()
        rclpy.try_shutdown()
    for failure in failures:
        print(f"steadyhand: a callback failed: {failure!r}", file=sys.stderr)  # noqa: T201
    return EXIT_BROKEN if failures else 0


def _end_by_force() -> None:
    """Start a thread that waits for the first signal, and ends the process if it still runs END_WITHIN_S later.

    The signal wakes the thread by a file descriptor, because Python's own handler waits for the main thread.
    """
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)

    def watch() -> None:
        woken.recv(1)
        threading.Event().wait(END_WITHIN_S)
        wakes.close()
        print(f"steadyhand: not ended within {END_WITHIN_S} s of the signal; ended by force", file=sys.stderr)  # noqa: T201
        sys.stderr.flush()
        os._exit(EXIT_BROKEN)

    threading.Thread(target=watch, name="end by force", daemon=True).start()


def _spin(
    executor: SingleThreadedExecutor, stop: threading.Event, asked: StopFlag, failures: list[BaseException]
) -> None:
    try:
        while not (asked() or stop.is_set()):
            executor.spin_once(timeout_sec=0.1)
    except ExternalShutdownException:
        pass
    except BaseException as error:  # after any error: a node without callbacks must not continue
        failures.append(error)
    finally:
        stop.set()
