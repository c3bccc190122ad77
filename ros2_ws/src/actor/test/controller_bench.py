"""A profile's stub, the real watchdog process, and the actor's own environment, as `actor_node` puts them together."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from ros_kit import Probe, Process, node_arguments, wait_until
from std_msgs.msg import String
from stub_crisp import CrispFr3, CrispUr
from stub_fzi import FziArm, FziUr
from stub_servo import ServoUr, ServoXarm

from actor_ros.hardware import RosHardware
from steadyhand.robot_envs.env import RobotEnv
from steadyhand.robot_envs.experts.expert import ActionScale
from steadyhand.robot_envs.experts.reach import ReachExpert
from steadyhand.robot_envs.make import make_env
from steadyhand.runtime.config import compose

STUBS = {
    "crisp_fr3": CrispFr3,
    "crisp_ur": CrispUr,
    "fzi_cartesian": FziArm,
    "ur_fzi": FziUr,
    "ur_servo": ServoUr,
    "xarm_servo": ServoXarm,
}
# Their grippers have tests of their own.
NO_GRIPPER = {"crisp_fr3": ["gripper=none"]}


# A crowded machine keeps a process waiting; how long is not what the tests ask, but `benchmarks/controllers.py`.
PATIENT = (
    "robot.profile.max_age.pose_s=1.5",
    "robot.profile.max_age.joint_states_s=1.5",
    "robot.profile.max_age.wrench_s=1.5",
    "robot.profile.watchdog.state_timeout_s=1.5",
    "robot.profile.watchdog.command_timeout_s=0.5",
    "safety.max_state_age_s=3.0",
)
INTERRUPTED_AT = 8  # steps


class Bench:
    """One profile before its stub.

    Args:
        name: The profile.
        folder: For the watchdog's log.
        overrides: More choices.
        stub: Arguments of the stub.
    """

    def __init__(self, name: str, folder, *overrides: str, **stub) -> None:
        given = [*NO_GRIPPER.get(name, []), *overrides]
        self.config = compose(["task=reach", f"robot={name}", *given])
        self.may_move = False
        self.faults = 0
        self.env: RobotEnv | None = None
        self._ends = ExitStack()
        with ExitStack() as ends:
            self.stub = STUBS[name](**stub)
            ends.callback(self.stub.close)
            self.probe = Probe("actor")
            ends.callback(self.probe.close)
            self.probe.listen("watchdog/stop_reason", String, "latched")
            arguments = {"robot": name, "task": "reach", **({"overrides": str(given)} if given else {})}
            self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(**arguments))
            ends.callback(self.watchdog.stop)
            self.cell = RosHardware(self.probe.node, self.config, lambda: self.may_move, self._on_fault)
            ends.callback(self.cell.destroy)
            self.cell.preconditions.start()
            self.probe.last("watchdog/stop_reason")
            self._ends = ends.pop_all()

    def close(self) -> None:
        self.may_move = False
        with self._ends:
            if self.env is not None:
                self.env.close()

    @property
    def reason(self) -> str:
        """Why the watchdog holds."""
        return self.probe.heard["watchdog/stop_reason"][-1][1].data

    def expect_reason(self, reason: str) -> None:
        wait_until(lambda: self.reason == reason, f"stop reason {reason!r}")

    def configure(self) -> None:
        """What the actor waits for before it is configured."""
        wait_until(
            lambda: not self.cell.fault() and self.reason != "not_heard_yet",
            lambda: f"a robot that can be driven, found {self.cell.fault()!r} and watchdog {self.reason!r}",
        )

    def fault(self, text: str) -> str:
        """The line that the actor refuses to be configured with, as soon as `text` is in it."""
        return wait_until(lambda: text in (line := self.cell.fault()) and line, f"a line with {text!r}")

    def enable(self) -> None:
        """A person's actor/enable, again while a machine that stood still is the reason against it."""

        def follows() -> bool:
            found = self.cell.make_follow()
            assert not found or "silent" in found or "not heard" in found, found
            return not found

        wait_until(follows, "an arm that follows")
        self.may_move = True

    def ready(self) -> None:
        """From the launch, or from a stop, to where the arm may move: what configure, activate and enable do."""
        self.configure()
        if self.env is None:
            env = make_env(self.config, 0, self.cell.hardware())
            assert isinstance(env, RobotEnv)
            self.env = env
        self.enable()

    def standing(self, coast_m: float = 0.01) -> np.ndarray:
        """The true pose of an arm that was told to stop, once it stands; it may coast no farther than `coast_m`."""
        told_at = self.stub.arm.pose.copy()
        wait_until(self._rests, "an arm that stands")
        pose = self.stub.arm.pose.copy()
        assert np.linalg.norm(pose[:3] - told_at[:3]) <= coast_m
        return pose

    def _rests(self, wait_s: float = 0.3) -> bool:
        before = self.stub.arm.pose.copy()
        time.sleep(wait_s)
        return bool(np.linalg.norm(self.stub.arm.pose - before) < 1e-6)

    def recover(self) -> None:
        """A person's actor/recover, or the RobotError with its line."""
        self.may_move = False
        self.cell.steps.recover(self.cell.profile.recover)
        wait_until(lambda: self.cell.link.is_well, "the robot's word that it is well")

    def reach(
        self, seed: int, look: Callable[[], None] = lambda: None, interrupt: Callable[[], None] | None = None
    ) -> tuple[bool, str, float]:
        """One episode of the task.

        Args:
            seed: Of the goal.
            look: Called after every step.
            interrupt: Called once the arm has moved for a while; the tool is led around instead of to the goal, so that
                the episode lasts until then.

        Returns:
            Success as the product judges it, the reason of a stop, and the distance of the true tool from the goal [m].
        """
        env, drive = self.env, self.config["task"]["drive"]
        assert env is not None, "ready() comes first"
        expert = ReachExpert(ActionScale(drive["action_scale_m"], drive["action_scale_rad"]))
        env.resume()
        observation, info = env.reset(seed=seed)
        expert.reset(info)
        goal = self.cell.workpieces.pose_of("goal")[:3]  # as the task drew it, whatever the robot says
        terminated = truncated = bool(info["stop_reason"])
        steps = 0
        while not (terminated or truncated):
            action = expert.act(observation, info) if interrupt is None else _around(env)
            observation, _, terminated, truncated, info = env.step(action)
            look()
            steps += 1
            if interrupt is not None and steps == INTERRUPTED_AT:
                interrupt()
        if info["stop_reason"]:
            self.may_move = False
        distance = float(np.linalg.norm(self.stub.arm.pose[:3] - goal))
        return bool(info["success"]), str(info["stop_reason"]), distance

    def _on_fault(self) -> None:
        self.faults += 1
        self.may_move = False


def _around(env: RobotEnv) -> np.ndarray:
    """A steady motion, back and forth along y every two seconds."""
    action = np.zeros(6, np.float32)
    action[1] = 1.0 if (env.clock.now_ns() // 2_000_000_000) % 2 else -1.0
    return action
