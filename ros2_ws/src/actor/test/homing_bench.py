"""An arm with two controllers, the watchdog in a process of its own, and the actor's robot in this one."""

import threading

import numpy as np
from ros_kit import Probe, Process, node_arguments, wait_until
from std_msgs.msg import String
from std_srvs.srv import Trigger
from stub_joint_arm import JointArm

from actor_ros.hardware import RosHardware
from actor_ros.parameters import robot_config
from steadyhand.robot_envs.robot import RobotError
from steadyhand.robot_envs.safety.limits import SafetyLimits
from steadyhand.runtime.build import build
from steadyhand.runtime.config import compose

HOME = np.array([0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785])
AWAY = HOME + np.array([0.3, 0.5, -0.2, 0.6, -0.7, 0.4, 0.5])
START = np.array([[0.55, 0.05, 0.2, 1.0, 0.0, 0.0, 0.0]])
OPENING = np.array([0.0])
# A loaded machine stands still for longer than a real watchdog would wait.
OVERRIDES = [
    "gripper=none",
    "homing=crisp_fr3",
    "homing.max_velocity_rad_s=1.0",
    "robot.profile.gains=null",
    "robot.profile.settle_s=0.1",
    "robot.profile.max_age={pose_s:2.0,joint_states_s:2.0,wrench_s:2.0,gripper_s:2.0,image_s:2.0}",
    "robot.profile.fault.max_age_s=3.0",
    "robot.profile.watchdog.command_timeout_s=0.8",
    "robot.profile.watchdog.state_timeout_s=2.0",
    "safety.max_state_age_s=2.0",
]


class Bench:
    """The arm, the watchdog, and the actor's robot in this process."""

    def __init__(self, folder) -> None:
        config = compose(["task=reach", "robot=mock_ros", *OVERRIDES])
        self.arm = JointArm(list(robot_config(config).profile.joints), AWAY)
        listed = f"[{','.join(repr(override) for override in OVERRIDES)}]"
        self.watchdog = Process(folder, "actor_ros.watchdog_node", *node_arguments(robot="mock_ros", overrides=listed))
        self.probe = Probe(name="actor")
        self.probe.listen("watchdog/stop_reason", String, "latched")
        self.allowed = True
        self.cell = RosHardware(self.probe.node, config, lambda: self.allowed, lambda: None)
        self.link, self.robot, self.homing = self.cell.link, self.cell.robot, self.cell.robot._homing
        self.limits = build(SafetyLimits, config["safety"])
        try:
            self.robot.connect()
        except RobotError:
            self.close()
            raise
        wait_until(lambda: self.probe.heard["watchdog/stop_reason"], f"the watchdog: {self.watchdog.output()}")

    def go(self) -> bool:
        return self.homing.go(self.robot.read, lambda _: self.allowed)

    def reset(self):
        return self.robot.reset(START, OPENING, lambda _: True)

    def close(self) -> None:
        self.probe.close()
        self.watchdog.stop()
        self.arm.close()

    def rearm(self) -> None:
        answers = []

        def is_rearmed() -> bool:
            answers.append(self.probe.call(Trigger, "watchdog/rearm"))
            return answers[-1].success

        try:
            wait_until(is_rearmed, "a rearmed watchdog")
        except AssertionError as error:
            raise AssertionError(f"{error}: {answers[-1].message}; {self.watchdog.output()}") from None

    def put(self, position: np.ndarray) -> None:
        """Lead the arm by hand: the watchdog forgets where it held it."""
        self.arm.is_deaf, self.arm._target, self.arm._flagged = True, None, False
        self.arm.position = np.array(position)
        wait_until(lambda: np.allclose(self.robot.read().joint_position[0], position), "the arm where it was put")
        wait_until(lambda: np.allclose(self.link.pose(), self.arm.tool()), "its pose")
        self.rearm()
        self.robot._plausible.forget()
        self.robot._judged_ns = -1
        self.arm.is_deaf = False

    def later(self, condition, action) -> threading.Thread:
        def run() -> None:
            wait_until(condition, "a moment to act")
            action()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def is_under_way(self) -> bool:
        return self.arm._path is not None and bool(np.abs(self.arm.velocity).max() > 0.2)
