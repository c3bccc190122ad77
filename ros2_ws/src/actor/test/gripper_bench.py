"""Grippers over real DDS: the watchdog's sender in the test, or a watchdog process beside a robot at rest."""

import threading
import time

from geometry_msgs.msg import PoseStamped
from ros_kit import Probe, Process, node_arguments, wait_until
from std_msgs.msg import Bool, Float64, String

from actor_ros import conversions
from actor_ros.gripper import Gripper
from steadyhand.robot_envs.gripper_profile import GripperProfile
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

PERIOD_S = 0.01


def profile_of(name: str, *overrides: str) -> GripperProfile:
    return build(GripperProfile, compose([f"gripper={name}", *overrides])["gripper"], "gripper")


class Bench:
    """The watchdog's sender in a node of the test, ticked by a loop of its own."""

    def __init__(self, profile: GripperProfile) -> None:
        self.probe = Probe(name="watchdog")
        self.gripper = Gripper(self.probe.node, profile)
        self.may_move = True
        self.longest_tick_s = 0.0
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def meet(self) -> None:
        """Wait until the servers of the gripper's actions are discovered."""
        clients = self.gripper._sender._clients
        wait_until(lambda: all(client.server_is_ready() for client in clients), "the servers of the gripper")

    def part(self) -> None:
        """Wait until the servers are gone, so that the next test cannot meet one that is leaving."""
        clients = getattr(self.gripper._sender, "_clients", ())
        wait_until(lambda: not any(client.server_is_ready() for client in clients), "servers that have left")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5.0)
        self.probe.close()

    def _loop(self) -> None:
        while not self._stop.wait(PERIOD_S):
            start = time.thread_time()
            self.gripper.tick(time.monotonic_ns(), self.may_move)
            self.longest_tick_s = max(self.longest_tick_s, time.thread_time() - start)
            if self.gripper.problem and self.gripper.problem not in self.problems:
                self.problems.append(self.gripper.problem)


class Robot:
    """A robot at rest and the actor beside it, for a watchdog in a process of its own."""

    # A loaded machine stands still for longer than a real watchdog would wait.
    PATIENT = (
        "robot.profile.watchdog.command_timeout_s=1.0",
        "robot.profile.watchdog.state_timeout_s=2.0",
        "robot.profile.fault.max_age_s=3.0",
    )
    POSE = [0.5, 0.0, 0.2, 1.0, 0.0, 0.0, 0.0]

    def __init__(self, folder, *overrides: str) -> None:
        listed = f"[{','.join([*self.PATIENT, *overrides])}]"
        self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(robot="mock_ros", overrides=listed))
        self.probe = Probe(name="robot_and_actor")
        self.probe.listen("watchdog/stop_reason", String, "latched")
        self.commands_arm = True
        self.wish: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()
        try:
            wait_until(lambda: self.reason() == "", "a watchdog that passes commands on")
        except AssertionError as error:
            self.close()
            raise AssertionError(f"{error}, found {self.reason()!r}: {self.watchdog.output()}") from None

    def reason(self) -> str | None:
        heard = self.probe.heard["watchdog/stop_reason"]
        return heard[-1][1].data if heard else None

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5.0)
        self.watchdog.stop()
        self.probe.close()

    def _loop(self) -> None:
        node, pose = self.probe.node, conversions.pose_from_array(self.POSE, "base", conversions.stamp_from_ns(0))
        measured, well = (
            node.create_publisher(PoseStamped, "current_pose", 1),
            node.create_publisher(Bool, "robot_ok", 1),
        )
        command = node.create_publisher(PoseStamped, "actor/command", 1)
        gripper = node.create_publisher(Float64, "actor/gripper_command", 1)
        while not self._stop.wait(0.05):
            measured.publish(pose)
            well.publish(Bool(data=True))
            if self.commands_arm:
                command.publish(pose)
            if self.wish is not None:
                gripper.publish(Float64(data=self.wish))
